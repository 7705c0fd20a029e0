"""The HTTP client against real servers that are slow, endless, elsewhere or wrong."""

import contextlib
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import UpstreamUnavailable
from broker.outbound import Outbound, admitted, system_resolve
from broker.web.tools import Tools
from tests import metering
from tests.metering import seen
from tests.servers import document, here, outbound, serving

KEYS = b'{"keys": []}'


def refusal(client: Outbound, url: str) -> str:
    with pytest.raises(UpstreamUnavailable) as caught:
        client.get(url)
    return caught.value.code


def test_a_document_is_fetched_by_https() -> None:
    with serving(document(KEYS, "application/jwk-set+json; charset=utf-8")) as url:
        assert outbound().get(f"{url}/jwks?x=1") == KEYS


def test_what_is_sent_names_the_host_and_carries_no_cookie_and_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, str, dict[str, str]]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", "0"))
        seen.append((handler.path, handler.rfile.read(length).decode(), dict(handler.headers)))
        document(b"x" * 1_000_000, "text/plain", 204)(handler)

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(answer) as url:
        assert outbound().post(f"{url}/logout", {"logout_token": "é&="}) == 204
    path, body, headers = seen[0]
    assert (path, body) == ("/logout", "logout_token=%C3%A9%26%3D")
    assert headers["Host"] == url.removeprefix("https://")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Cookie" not in headers


def test_a_slow_server_is_given_up_in_time() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1)

    began = time.monotonic()
    with serving(answer) as url:
        assert refusal(outbound(total=0.3), url) == "upstream_unavailable"
        assert time.monotonic() - began < 0.9


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_server_that_drips_is_cut_off_and_leaves_no_thread_behind(part: str) -> None:
    hung_up: list[float] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        if part == "body":
            handler.wfile.write(b"Content-Type: application/json\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(200):
                handler.wfile.write(b"x")
                time.sleep(0.02)
        hung_up.append(time.monotonic())

    began = time.monotonic()
    with serving(answer, tls=False) as url:
        assert refusal(outbound(total=0.3), url) == "upstream_unavailable"
        assert time.monotonic() - began < 0.9
        while not hung_up and time.monotonic() - began < 3:
            time.sleep(0.02)
    assert hung_up
    assert hung_up[0] - began < 2


def test_an_endless_answer_is_read_no_further_than_the_limit() -> None:
    sent: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with contextlib.suppress(OSError):
            for n in range(10_000):
                handler.wfile.write(b" " * 65536)
                sent.append(n)

    with serving(answer) as url:
        assert refusal(outbound(), url) == "upstream_unusable"
    assert len(sent) < 1000


def test_the_limit_is_exact() -> None:
    with serving(document(b" " * 101)) as url, pytest.raises(UpstreamUnavailable):
        outbound().get(url, limit=100)
    with serving(document(b" " * 100)) as url:
        assert len(outbound().get(url, limit=100)) == 100


def test_a_redirect_is_not_followed() -> None:
    reached: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        reached.append(handler.path)
        handler.send_response(302)
        handler.send_header("Location", "/other")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving(answer) as url:
        assert refusal(outbound(), f"{url}/first") == "upstream_unusable"
        assert outbound().post(f"{url}/first", {}) == 302
    assert reached == ["/first", "/first"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("text/html", 200), ("", 200), ("application/json", 404), ("application/json", 500)],
)
def test_another_type_or_status_is_not_the_document(content_type: str, status: int) -> None:
    with serving(document(KEYS, content_type, status)) as url:
        assert refusal(outbound(), url) == "upstream_unusable"


def test_a_compressed_answer_is_not_unpacked() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in (("Content-Type", "application/json"), ("Content-Encoding", "gzip")):
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving(answer) as url:
        assert refusal(outbound(), url) == "upstream_unusable"


def test_what_speaks_no_http_is_unusable() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"220 mail.test ESMTP\r\n")

    with serving(answer) as url:
        assert refusal(outbound(), url) == "upstream_unusable"


def test_a_certificate_that_nobody_trusts_is_refused() -> None:
    with serving(document(KEYS)) as url:
        assert refusal(Outbound(local=True, resolve=here), url) == "upstream_unavailable"


def test_a_certificate_for_another_name_is_refused() -> None:
    with serving(document(KEYS)) as url:
        other = url.replace("keys.test", "other.test")
        assert refusal(outbound(), other) == "upstream_unavailable"


def test_a_public_name_of_a_private_address_is_refused() -> None:
    with serving(document(KEYS)) as url:
        assert refusal(outbound(local=False), url) == "address_refused"


def test_one_private_address_among_public_ones_refuses_them_all() -> None:
    mixed = Outbound(resolve=lambda _host, _port: ["192.0.2.1", "93.184.216.34", "10.0.0.1"])
    assert refusal(mixed, "https://mixed.test/") == "address_refused"


def test_a_name_is_resolved_once_so_it_cannot_mean_two_machines() -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with serving(document(KEYS)) as url:
        client = Outbound(local=True, resolve=rebinding, trust=outbound().trust)
        assert client.get(url) == KEYS
    assert asked == ["keys.test"]


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with serving(document(KEYS)) as url:
        both = Outbound(
            local=True, resolve=lambda *_: ["127.0.0.77", "127.0.0.1"], trust=outbound().trust
        )
        assert both.get(url) == KEYS


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://keys.test/",
        "ftp://keys.test/",
        "file:///etc/passwd",
        "https:///jwks",
        "https://user@keys.test/",
        "https://keys.test/#part",
        "https://keys.test:22/",
        "https://keys.test:99999/",
        "https://keys.test/a b",
        "https://keys.test/\r\nX: y",
        "https://keys.test\\@other.test/",
        "https://clés.test/",
        "https://keys.test/" + "x" * 2048,
        "http://localhost/",
        "https://[::1/",
    ],
)
def test_an_address_of_another_kind_is_not_gone_to(url: str) -> None:
    def nobody(_host: str, _port: int) -> list[str]:
        raise AssertionError("it was resolved")

    assert refusal(Outbound(resolve=nobody), url) == "address_refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "localhost"])
def test_no_spelling_of_this_machine_is_admitted(host: str) -> None:
    assert refusal(Outbound(), f"https://{host}/") in {"address_refused", "upstream_unavailable"}


def test_plain_http_is_for_a_broker_on_localhost() -> None:
    with serving(document(KEYS), tls=False) as url:
        assert Outbound(local=True).get(url) == KEYS
        assert refusal(Outbound(), url) == "address_refused"
        elsewhere = url.replace("localhost", "elsewhere.test")
        assert refusal(outbound(), elsewhere) == "address_refused"


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "0.0.0.0", "169.254.169.254",  # noqa: S104
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1",
        "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::7f00:1", "64:ff9b::a00:1",
        "64:ff9b:1::1", "2002:a00:1::", "2001::1", "2001:db8::1", "", "nonsense",
    ],
)  # fmt: skip
def test_only_public_addresses_are_admitted(address: str) -> None:
    assert not admitted(address, local=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_public_addresses_are_admitted(address: str) -> None:
    assert admitted(address, local=False)


def test_local_admits_this_machine_and_not_its_neighbours() -> None:
    assert admitted("127.0.0.1", local=True)
    assert admitted("::1", local=True)
    assert not admitted("192.168.1.1", local=True)


def test_a_name_that_does_not_exist_is_unavailable() -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    assert refusal(Outbound(resolve=nowhere), "https://nowhere.test/") == "upstream_unavailable"


def test_the_systems_resolver_knows_this_machine() -> None:
    assert set(system_resolve("localhost", 443)) <= {"127.0.0.1", "::1"}


@given(st.text() | st.text().map("https://".__add__))
def test_no_address_whatever_raises_anything_else(url: str) -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError

    with pytest.raises(UpstreamUnavailable):
        Outbound(resolve=nowhere).get(url)


# Whatever the status: for those who must look at it themselves


def test_an_answer_is_told_with_its_status_and_type() -> None:
    with serving(document(b"{}", "application/JWT; charset=utf-8", 401)) as url:
        answer = outbound().fetch(f"{url}/userinfo")
    assert (answer.status, answer.media_type, answer.body) == (401, "application/jwt", b"{}")


def test_a_form_and_headers_are_sent_as_they_are_given() -> None:
    seen: list[tuple[str, str, dict[str, str]]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", "0"))
        seen.append((handler.command, handler.rfile.read(length).decode(), dict(handler.headers)))
        document(b"{}")(handler)

    with serving(answer) as url:
        outbound().fetch(url, form={"code": "é"}, headers={"Authorization": "Basic x"})
        outbound().fetch(url, headers={"Accept": "application/jwt"})
    assert [method for method, _, _ in seen] == ["POST", "GET"]
    assert seen[0][1] == "code=%C3%A9"
    assert seen[0][2]["Authorization"] == "Basic x"
    assert seen[1][2]["Accept"] == "application/jwt"


def test_an_answer_above_the_limit_is_no_answer() -> None:
    with serving(document(b"x" * 101)) as url, pytest.raises(UpstreamUnavailable) as caught:
        outbound().fetch(url, limit=100)
    assert caught.value.code == "upstream_unusable"


def test_a_call_is_measured_by_what_came_of_it(tools: Tools, tmp_path: Path) -> None:
    client = replace(outbound(total=0.5), meter=metering.metered(tools, tmp_path).meter)
    with serving(document(KEYS)) as url:
        client.get(url)
    assert refusal(client, url) == "upstream_unavailable"  # it is gone
    assert refusal(client, "gopher://keys.test/") == "address_refused"
    results = {row[2] for row in seen(tmp_path) if row[0] == "broker_outbound_seconds"}
    assert results == {"answered", "upstream_unavailable", "address_refused"}
