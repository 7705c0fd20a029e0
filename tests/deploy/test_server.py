"""The shipped server, granian, and gunicorn beside it: what they let through, and how they end."""

import json
import os
import runpy
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from broker import clock, keyring
from broker.app import REQUEST_LIMIT
from broker.settings import DatabaseSettings
from broker.verifiers.mrz.worker import Bounds
from tests.deploy.running import (
    BROKER,
    PROBE,
    ROOT,
    Running,
    answers,
    command,
    raw,
    serving,
    until,
)

pytestmark = pytest.mark.slow

RESET = 0
END = b"Host: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module", params=["granian", "gunicorn"])
def either(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("server"), kind=request.param) as running:
        yield running


@pytest.fixture
def probed(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path) as running:
        yield running


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def asked(length: int) -> bytes:
    """A request whose path and query have this length."""
    return b"GET /?" + b"q" * (length - 2) + b" HTTP/1.1\r\n" + END


def test_a_long_request_line_is_answered(either: Running) -> None:
    assert status(raw(either.port, asked(8150))) == 200


def test_a_longer_one_is_refused(either: Running) -> None:
    assert status(raw(either.port, asked(8200))) in {400, 414}


def test_a_huge_head_is_refused(either: Running) -> None:
    field = b"X: " + b"x" * 100_000 + b"\r\n"
    assert status(raw(either.port, b"GET / HTTP/1.1\r\n" + field + END)) in {400, 431}


def test_a_head_of_many_fields_is_refused(either: Running) -> None:
    fields = b"".join(b"X-%d: x\r\n" % n for n in range(120))
    assert status(raw(either.port, b"GET / HTTP/1.1\r\n" + fields + END)) in {400, 431}


def test_the_address_is_the_connections_and_a_repeated_field_is_seen_as_such(
    either: Running,
) -> None:
    told = raw(
        either.port,
        b"GET /told HTTP/1.1\r\nDPoP: one\r\nDPoP: two\r\nX-Forwarded-For: 192.0.2.1\r\n" + END,
    )
    environ = json.loads(told.partition(b"\r\n\r\n")[2])
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_DPOP"].replace(" ", "") == "one,two"


def test_what_is_asked_is_never_said(either: Running) -> None:
    for line in (b"GET /?code=told-to-nobody HTTP/1.1", b"GET /?code=told-to-nobody HTTP/7.3"):
        raw(either.port, line + b"\r\n" + END)
    raw(either.port, asked(9000).replace(b"qqqq", b"told"))
    assert "told" not in either.said.read_text()


def test_a_request_in_progress_ends_well_when_the_server_is_told_to_stop(probed: Running) -> None:
    heard: list[bytes] = []
    slow = threading.Thread(
        target=lambda: heard.append(raw(probed.port, b"GET /slow?2 HTTP/1.1\r\n" + END))
    )
    slow.start()
    time.sleep(0.5)
    probed.signal(signal.SIGTERM)
    assert probed.process.wait(timeout=30) == 0
    slow.join()
    assert status(heard[0]) == 200


def test_new_workers_take_over_on_sighup_and_nobody_is_refused(probed: Running) -> None:
    before, heard, over = probed.workers(), Counter[int](), threading.Event()

    def go_on() -> None:
        while not over.is_set():
            told = raw(probed.port, b"GET /slow?0.01 HTTP/1.1\r\n" + END)
            heard[status(told) if told else RESET] += 1

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    probed.signal(signal.SIGHUP)
    until(lambda: probed.workers() and not probed.workers() & before, 20)
    over.set()
    for thread in threads:
        thread.join()
    # What waited at the old socket is reset where the kernel was not told to hand it over.
    migrates = Path("/proc/sys/net/ipv4/tcp_migrate_req").read_text().strip() == "1"
    assert heard[RESET] <= (0 if migrates else len(threads))
    assert set(heard) <= {200, RESET}


def test_a_killed_worker_is_replaced(probed: Running) -> None:
    before = probed.workers()
    time.sleep(1)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: probed.workers() and not probed.workers() & before)
    until(lambda: answers(probed.port))


def test_no_worker_outlives_a_killed_server(probed: Running) -> None:
    workers = probed.workers()
    assert workers
    probed.signal(signal.SIGKILL)
    until(lambda: not any(is_alive(pid) for pid in workers))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_second_server_does_not_join_the_first_at_its_port(probed: Running) -> None:
    second = subprocess.run(
        command("granian", PROBE, probed.port, 1),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert second.returncode != 0
    assert "in use" in second.stderr


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("broker")
    keyring.init(folder / "keys", clock.utcnow())
    with serving(folder, BROKER) as running:
        yield running


def test_a_body_beyond_the_limit_is_refused_unread(broker: Running) -> None:
    head = b"POST /token HTTP/1.1\r\nContent-Length: %d\r\n" % (REQUEST_LIMIT + 1)
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    assert status(raw(broker.port, head + kind + END + b"a=b")) == 413


def test_a_chunked_body_beyond_the_limit_is_not_read_to_its_end(broker: Running) -> None:
    head = b"POST /token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    sent = head + kind + END + chunk * 40  # and no end
    assert 400 <= status(raw(broker.port, sent)) < 500


def test_the_broker_answers_with_its_headers(broker: Running) -> None:
    asked_at = HTTPConnection("localhost", broker.port, timeout=10)
    asked_at.request("GET", "/.well-known/openid-configuration")
    answer = asked_at.getresponse()
    assert answer.status == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(answer.read())["token_endpoint"].endswith("/token")
    asked_at.close()


def numbers(path: Path) -> dict[str, object]:
    """What a configuration that is a program says."""
    return runpy.run_path(str(path))


def test_the_numbers_of_threads_pictures_and_connections_fit_together() -> None:
    threads = numbers(ROOT / "deploy" / "serve.py")["THREADS"]
    assert isinstance(threads, int)
    assert threads >= Bounds().waiting + 4, "threads left for tokens while pictures wait"
    assert threads <= DatabaseSettings().connections
    assert numbers(ROOT / "deploy" / "gunicorn.conf.py")["threads"] == threads
