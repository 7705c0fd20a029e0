"""Real servers on this machine, in threads: what others publish, well or badly."""

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from broker.outbound import Outbound

Answer = Callable[[BaseHTTPRequestHandler], None]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that hang up are what is tested here."""


@contextmanager
def serving(answer: Answer, *, tls: bool = True) -> Iterator[str]:
    """The address of a server that answers every request with `answer`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            answer(self)

        do_POST = do_GET  # noqa: N815  the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    server = _Quiet(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    if tls:
        server.socket = _identity().wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"https://keys.test:{port}" if tls else f"http://localhost:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def document(body: bytes, content_type: str = "application/json", status: int = 200) -> Answer:
    """A server that always says this."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def here(_host: str, _port: int) -> Sequence[str]:
    """Every name means this machine."""
    return ["127.0.0.1"]


def outbound(*, local: bool = True, total: float = 5.0) -> Outbound:
    """A client that trusts these servers and finds every name on this machine."""
    return Outbound(local=local, total=total, resolve=here, trust=_trust)


@cache
def _made() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    names = [x509.DNSName("keys.test"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


@cache
def _identity() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        for name, pem in zip(("certificate", "key"), _made(), strict=True):
            (Path(folder) / name).write_bytes(pem)
        context.load_cert_chain(Path(folder) / "certificate", Path(folder) / "key")
    return context


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=_made()[0].decode())
