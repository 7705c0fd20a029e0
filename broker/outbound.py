"""The only HTTP client: deadlines, size caps, no private addresses, no redirects, no proxies.

An address that somebody else wrote (a client's jwks_uri) is resolved once, every result is
looked at, and the connection goes to exactly what was looked at: a name cannot mean one machine
when it is checked and another when it is used.
"""

import contextlib
import http.client
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from time import perf_counter
from urllib.parse import SplitResult, urlencode, urlsplit

from broker.errors import UpstreamUnavailable
from broker.measuring import SILENT, UNTRACED, Meter, Tracer
from broker.measuring.catalogue import OUTBOUND

Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) → its IP addresses. Raises OSError."""

LONGEST_URL = 2048
_HEAD = "application/x-www-form-urlencoded"
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_TUNNEL = IPv6Network("2002::/16")  # 6to4: an IPv4 address in disguise
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def system_resolve(host: str, port: int) -> Sequence[str]:
    """What the operating system's resolver says. Raises OSError."""
    return [str(a[4][0]) for a in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@cache
def system_trust() -> ssl.SSLContext:
    """The operating system's certificate authorities; reading them costs tens of milliseconds."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Outbound:
    """Asks others for what they publish, and tells them what they asked to be told.

    `local` admits plain http and this very machine; it is for a broker that itself runs on
    http://localhost. `connect` and `total` are deadlines in seconds.
    """

    local: bool = False
    connect: float = 3.0
    total: float = 5.0
    resolve: Resolve = field(default=system_resolve, repr=False)
    trust: Callable[[], ssl.SSLContext] = field(default=system_trust, repr=False)
    meter: Meter = field(default=SILENT, repr=False)
    tracer: Tracer = field(default=UNTRACED, repr=False)

    def get(self, url: str, *, limit: int = 64 * 1024, accept: str = "application/json") -> bytes:
        """The document at `url`, of media type `accept` (a JSON type's `+json` kin count).

        Raises UpstreamUnavailable: address_refused, upstream_unavailable, upstream_unusable.
        """
        answer = self._exchange("GET", url, {"Accept": accept}, None, limit)
        if answer.status != http.client.OK:
            raise UpstreamUnavailable("upstream_unusable", f"status {answer.status}")
        if not _is_of_type(answer.content_type, accept):
            raise UpstreamUnavailable("upstream_unusable", "another media type")
        if answer.encoded or len(answer.body) > limit:
            raise UpstreamUnavailable("upstream_unusable", f"encoded, or above {limit} bytes")
        return answer.body

    def fetch(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 64 * 1024,
    ) -> "Answer":
        """What `url` answers, whatever its status: to a GET, or to a POST of the form.

        Raises UpstreamUnavailable: address_refused, upstream_unavailable, upstream_unusable.
        """
        sent = dict(headers or {})
        if form is None:
            answer = self._exchange("GET", url, sent, None, limit)
        else:
            body = urlencode(form).encode("ascii")
            answer = self._exchange("POST", url, sent | {"Content-Type": _HEAD}, body, limit)
        if answer.encoded or len(answer.body) > limit:
            raise UpstreamUnavailable("upstream_unusable", f"encoded, or above {limit} bytes")
        return answer

    def post(self, url: str, form: Mapping[str, str]) -> int:
        """The status with which `url` answers the form; a redirect is not followed.

        Raises UpstreamUnavailable: address_refused, upstream_unavailable, upstream_unusable.
        """
        body = urlencode(form).encode("ascii")
        return self._exchange("POST", url, {"Content-Type": _HEAD}, body, 0).status

    def ask(self, url: str, body: bytes, kind: str, *, limit: int = 64 * 1024) -> tuple[int, bytes]:
        """Status and body, at most `limit` bytes of it, of the answer to `body`, of type `kind`.

        Raises UpstreamUnavailable: address_refused, upstream_unavailable, upstream_unusable.
        """
        answer = self._exchange("POST", url, {"Content-Type": kind}, body, limit)
        if answer.encoded or len(answer.body) > limit:
            raise UpstreamUnavailable("upstream_unusable", f"encoded, or above {limit} bytes")
        return answer.status, answer.body

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, limit: int
    ) -> "Answer":
        began, facts = perf_counter(), {"http.request.method": method}
        result = "answered"
        with self.tracer.outgoing() as span:
            try:
                parts = _target(url, local=self.local)
                facts["server.address"] = parts.hostname or ""
                return self._talked(parts, method, headers, body, limit)
            except UpstreamUnavailable as error:
                facts["error.type"] = result = error.code
                raise
            finally:
                self.meter.observe(OUTBOUND, perf_counter() - began, result)
                span.tell(method, facts)

    def _talked(
        self, parts: SplitResult, method: str, headers: Mapping[str, str], body: bytes | None,
        limit: int,
    ) -> "Answer":  # fmt: skip
        line = _Line()
        # A thread of its own, because neither name resolution nor a peer that drips one byte a
        # second knows a total deadline. It dies with its connection, which we cut.
        worker = ThreadPoolExecutor(1, thread_name_prefix="outbound")
        talk = worker.submit(self._talk, line, parts, method, dict(headers), body, limit)
        worker.shutdown(wait=False)
        try:
            return talk.result(timeout=self.total)
        except http.client.HTTPException as error:
            raise UpstreamUnavailable("upstream_unusable", type(error).__name__) from None
        except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
            raise UpstreamUnavailable("upstream_unavailable", type(error).__name__) from None
        finally:
            line.cut()

    def _talk(  # noqa: PLR0913  one exchange, whole
        self,
        line: "_Line",
        parts: SplitResult,
        method: str,
        headers: dict[str, str],
        body: bytes | None,
        limit: int,
    ) -> "Answer":
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        addresses = self.resolve(host, port)
        if not addresses or not all(admitted(a, local=self.local) for a in addresses):
            raise UpstreamUnavailable("address_refused", "not an address of the public internet")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers |= {"Host": parts.netloc, "Accept-Encoding": "identity", "User-Agent": "miftah"}
        plain = _connected(addresses, port, self.connect)
        with contextlib.closing(http.client.HTTPConnection(host, port)) as connection:
            # HTTPConnection closes what it is given, and opens nothing of its own.
            connection.sock = line.hold(plain)
            plain.settimeout(self.total)
            if parts.scheme == "https":
                connection.sock = secured = self.trust().wrap_socket(
                    plain, server_hostname=host, do_handshake_on_connect=False
                )
                line.hold(secured)
                secured.do_handshake()
            connection.request(method, path, body, headers)
            with connection.getresponse() as response:
                return Answer(
                    response.status,
                    response.headers.get("Content-Type", ""),
                    response.headers.get("Content-Encoding", "identity") != "identity",
                    response.read(limit + 1) if limit else b"",
                    response.headers.get("DPoP-Nonce", ""),
                )


def secure_line(host: str, port: int, authority: Path | None, wait: float = 5.0) -> ssl.SSLSocket:
    """A TLS connection to an address that the operator wrote; private ones are meant.

    `authority` is a file of certificates to trust instead of the system's. Raises OSError.
    """
    trust = ssl.create_default_context(cafile=None if authority is None else str(authority))
    plain = socket.create_connection((host, port), timeout=wait)
    return trust.wrap_socket(plain, server_hostname=host)


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered; `nonce` is the one that they want in the next DPoP proof."""

    status: int
    content_type: str
    encoded: bool
    body: bytes
    nonce: str = ""

    @property
    def media_type(self) -> str:
        """The type without its parameters, in small letters."""
        return self.content_type.partition(";")[0].strip().lower()


@dataclass(slots=True)
class _Line:
    """The connection in use, so that another thread can cut it."""

    held: socket.socket | None = None
    is_cut: bool = False

    def hold(self, connection: socket.socket) -> socket.socket:
        self.held = connection
        if self.is_cut:
            raise TimeoutError
        return connection

    def cut(self) -> None:
        self.is_cut = True
        if self.held is not None:
            # The plain socket's own method: TLS would first take leave of the peer.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.held, socket.SHUT_RDWR)


def admitted(address: str, *, local: bool) -> bool:
    """Whether we connect to this IP address: a public unicast one, or with `local` loopback."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:  # a zone, as in fe80::1%eth0
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if local and ip.is_loopback:
        return True
    if isinstance(ip, IPv6Address) and (ip not in _GLOBAL_UNICAST or ip in _TUNNEL):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _target(url: str, *, local: bool) -> SplitResult:
    """The parts of an address that we are willing to go to. Raises UpstreamUnavailable."""
    refused = UpstreamUnavailable("address_refused", "not an https address")
    if len(url) > LONGEST_URL or not re.fullmatch(r"[\x21-\x7e]+", url) or "\\" in url:
        raise refused
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise refused from None
    if not host or "@" in parts.netloc or parts.fragment:
        raise refused
    here = local and host in _LOCAL_NAMES
    # Ports below 1024 belong to other protocols, which could take our request for theirs.
    usual = port is None or port == 443 or port > 1023  # noqa: PLR2004
    if not here and (parts.scheme != "https" or not usual):
        raise refused
    if parts.scheme not in {"http", "https"}:
        raise refused
    return parts


def _connected(addresses: Sequence[str], port: int, within: float) -> socket.socket:
    """A connection to the first address that answers. Raises OSError."""
    failed: OSError = OSError("no address")
    for address in addresses[:4]:
        try:
            return socket.create_connection((address, port), timeout=within)
        except OSError as error:
            failed = error
    raise failed


def _is_of_type(content_type: str, accept: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    return media == accept or (accept == "application/json" and media.endswith("+json"))
