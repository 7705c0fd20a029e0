"""The proxy as it is shipped: what it hands over, what it keeps away, what it writes down."""

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests import servers
from tests.deploy.proxy import configured, proxying
from tests.deploy.running import free_port, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    """Of nginx before one worker of the shipped server."""
    with serving(folder / "server") as behind, proxying(folder / "nginx", [behind.port]) as port:
        yield port


@contextmanager
def connection(port: int) -> Iterator[ssl.SSLSocket]:
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    with servers._trust().wrap_socket(plain, server_hostname="127.0.0.1") as secured:
        yield secured


def asked(port: int, request: bytes) -> bytes:
    heard = b""
    with connection(port) as secured:
        secured.sendall(request + b"Host: broker.example\r\nConnection: close\r\n\r\n")
        while said := secured.recv(65536):
            heard += said
    return heard


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def told(port: int, fields: bytes = b"") -> dict[str, str]:
    """What the application behind made of it."""
    found: dict[str, str] = json.loads(
        asked(port, b"GET /told HTTP/1.1\r\n" + fields).partition(b"\r\n\r\n")[2]
    )
    return found


def test_the_shipped_configuration_is_one_for_nginx(folder: Path) -> None:
    made = configured(folder, free_port(), [8000, 8001])
    tried = subprocess.run(
        ["nginx", "-t", "-c", str(made), "-p", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr


@pytest.mark.parametrize("name", [b"X-Forwarded-For", b"X_Forwarded_For", b"x-forwarded_for"])
def test_what_a_client_says_of_its_address_is_not_believed(port: int, name: bytes) -> None:
    assert told(port, name + b": 192.0.2.66\r\n")["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"


@pytest.mark.parametrize("name", [b"X-Client-Certificate", b"X_Client_Verified"])
def test_nobody_brings_a_certificate_in_a_header(port: int, name: bytes) -> None:
    environ = told(port, name + b": SUCCESS\r\n")
    assert environ.get("HTTP_X_CLIENT_CERTIFICATE", "") == ""
    assert environ.get("HTTP_X_CLIENT_VERIFIED", "") == ""


def test_the_broker_is_told_the_name_the_scheme_and_the_request(port: int) -> None:
    environ = told(port, b"X-Request-ID: mine\r\nX-Forwarded-Host: evil.test\r\n")
    assert environ["HTTP_X_FORWARDED_HOST"] == "broker.example"
    assert environ["HTTP_X_FORWARDED_PROTO"] == "https"
    assert len(environ["HTTP_X_REQUEST_ID"]) == 32


def test_a_request_line_beyond_the_limit_is_refused(port: int) -> None:
    assert status(asked(port, b"GET /?" + b"q" * 8100 + b" HTTP/1.1\r\n")) == 200
    assert status(asked(port, b"GET /?" + b"q" * 8300 + b" HTTP/1.1\r\n")) == 414


def test_who_sends_slowly_holds_no_thread_of_the_broker(port: int) -> None:
    with ExitStack() as slow:
        for _ in range(40):
            secured = slow.enter_context(connection(port))
            secured.sendall(
                b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nslowly"
            )
        assert status(asked(port, b"GET / HTTP/1.1\r\n")) == 200


@pytest.mark.parametrize("door", [b"/metrics", b"/readyz", b"/healthz"])
def test_what_the_operator_reads_is_not_published(port: int, door: bytes) -> None:
    assert status(asked(port, b"GET " + door + b" HTTP/1.1\r\n")) == 404


def test_a_crowd_from_one_address_is_told_so(port: int) -> None:
    with ExitStack() as crowd:
        statuses = []
        for _ in range(12):
            secured = crowd.enter_context(connection(port))
            for _ in range(12):
                secured.sendall(b"GET /account HTTP/1.1\r\nHost: x\r\n\r\n")
                statuses.append(status(secured.recv(65536)))
    assert set(statuses) == {200, 429}


def test_nothing_of_a_request_but_its_door_is_written_down(port: int, folder: Path) -> None:
    asked(port, b"GET /callback/told-handle?code=told-code HTTP/1.1\r\nCookie: told-cookie\r\n")
    asked(port, b"GET /" + b"told" * 3000 + b" HTTP/1.1\r\n")
    written = "".join(path.read_text() for path in (folder / "nginx" / "log").iterdir())
    assert "/callback" in written
    assert "told-" not in written
    assert "toldtold" not in written
