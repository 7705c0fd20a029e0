"""The same limits, counted in a real server for several workers."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.authentication.buckets import ALLOWANCES, Bucket, Memory
from broker.authentication.shared_limits import Shared
from tests.conftest import NOON

pytest.importorskip("redis")
SERVER = shutil.which("valkey-server") or shutil.which("redis-server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="no redis-server here")

ONE: Bucket = ("account", b"one")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this test's own, which keeps nothing."""
    path: Path = tmp_path_factory.mktemp("limits") / "socket"
    command = [str(SERVER), "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly"]
    server = subprocess.Popen([*command, "no"], stdout=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket(socket.AF_UNIX) as probe:
            if path.exists() and probe.connect_ex(str(path)) == 0:
                break
        time.sleep(0.05)
    yield f"unix://{path}"
    server.terminate()
    server.wait()


def test_two_workers_count_together(url: str) -> None:
    first, second = Shared(url), Shared(url)
    bucket = ("account", b"together")
    for worker in (first, second) * 5:
        assert worker.charge([bucket], NOON) == timedelta(0)
    assert first.charge([bucket], NOON) == second.charge([bucket], NOON) == timedelta(seconds=2)


def test_of_fifty_tries_at_once_as_many_as_are_free_are_admitted(url: str) -> None:
    bucket, worker = ("account", b"at once"), Shared(url)
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _: worker.charge([bucket], NOON), range(50)))
    assert waits.count(timedelta(0)) == ALLOWANCES["account"].free


def test_a_full_bucket_charges_none_of_the_others(url: str) -> None:
    worker, full, other = Shared(url), ("account", b"full"), ("browser", b"other")
    for _ in range(10):
        worker.charge([full], NOON)
    for _ in range(30):
        assert worker.charge([full, other], NOON) > timedelta(0)
    assert worker.charge([other], NOON) == timedelta(0)


def test_a_good_try_does_not_count(url: str) -> None:
    worker, bucket = Shared(url), ("account", b"good")
    for _ in range(30):
        assert worker.charge([bucket], NOON) == timedelta(0)
        worker.refund([bucket], NOON)


def test_while_the_server_is_away_the_worker_counts_by_itself() -> None:
    worker = Shared("unix:///nowhere/at/all")
    for _ in range(10):
        assert worker.charge([ONE], NOON) == timedelta(0)
    assert worker.charge([ONE], NOON) > timedelta(0)
    worker.refund([ONE], NOON)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pauses=st.lists(st.integers(0, 400), max_size=25), name=st.binary(min_size=16, max_size=16))
def test_the_server_decides_as_the_memory_does(url: str, pauses: list[int], name: bytes) -> None:
    memory, shared, now = Memory(), Shared(url), NOON
    bucket = ("account", name)
    first = shared.charge([bucket], now) == timedelta(0)
    if not first:  # an example that ran before has filled it
        return
    memory.charge([bucket], now)
    for pause in pauses:
        now += timedelta(seconds=pause)
        ours, theirs = memory.charge([bucket], now), shared.charge([bucket], now)
        assert abs(max(ours, timedelta(0)) - theirs) <= timedelta(milliseconds=2)
