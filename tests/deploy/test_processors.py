"""Workers of the shipped server keep to a processor each, and their children do not."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from broker.processors import ours
from tests.deploy.running import Running, raw, serving, until
from tests.test_processors import several
from tests.verifiers.mrz.pictures import encoded, plain

pytestmark = [pytest.mark.slow, several]

END = b"Host: localhost\r\nConnection: close\r\n\r\n"
SITTING_S = 4
LEAVING_S = 20
"""Each look is a chance of one half to stay: once in a hundred thousand times it takes longer."""


@pytest.fixture
def probed(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path) as running:
        yield running


def threads(worker: int) -> dict[int, frozenset[int]]:
    """Thread → its processors."""
    found = {}
    for thread in Path(f"/proc/{worker}/task").iterdir():
        with suppress(ProcessLookupError):
            found[int(thread.name)] = frozenset(os.sched_getaffinity(int(thread.name)))
    return found


def seat(running: Running) -> int | None:
    """The processor that its only worker keeps to, if it does."""
    (worker,) = running.workers()
    kept = {there for thread, there in threads(worker).items() if thread != worker}
    alone = kept.pop() if len(kept) == 1 else frozenset[int]()
    return min(alone) if len(alone) == 1 else None


def seated(*servers: Running) -> list[int]:
    """Where they are once they are; where others use every processor, they are right not to be."""
    end = time.monotonic() + SITTING_S
    while time.monotonic() < end:
        found = [seat(each) for each in servers]
        if None not in found:
            return [each for each in found if each is not None]
        time.sleep(0.1)
    pytest.skip("others use all of this machine")


@contextmanager
def busy_on(processor: int) -> Iterator[None]:
    """Somebody else who computes on this processor without end."""
    loop = f"import os\nos.sched_setaffinity(0, {{{processor}}})\nwhile True: pass"
    other = subprocess.Popen([sys.executable, "-c", loop])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def working(*servers: Running, seconds: int) -> None:
    """Have each of them compute for so long."""

    def ask(port: int) -> None:
        with suppress(OSError):  # the server ends first
            raw(port, b"GET /busy?%d HTTP/1.1\r\n" % seconds + END, seconds + 60)

    for each in servers:
        threading.Thread(target=ask, args=(each.port,), daemon=True).start()


def test_all_threads_of_a_worker_keep_to_one_processor_but_the_main_one(probed: Running) -> None:
    seated(probed)
    (worker,) = probed.workers()
    assert threads(worker)[worker] == ours()


def test_a_picture_is_read_on_any_processor(probed: Running) -> None:
    seated(probed)
    picture = encoded(plain((640, 480), color=(255, 255, 255)))
    head = b"POST /read HTTP/1.1\r\nContent-Length: %d\r\n" % len(picture)
    reader = int(raw(probed.port, head + END + picture, 60).partition(b"\r\n\r\n")[2])
    assert set(threads(reader).values()) == {frozenset(ours())}


def test_a_worker_leaves_a_processor_that_somebody_else_keeps_using(probed: Running) -> None:
    (there,) = seated(probed)
    with busy_on(there):
        until(lambda: seat(probed) != there, LEAVING_S)


def test_two_busy_servers_do_not_stay_at_one_processor(tmp_path: Path) -> None:
    free, *taken = sorted(ours())
    with serving(tmp_path / "a") as first, serving(tmp_path / "b") as second:
        with ExitStack() as others:
            for each in taken:
                others.enter_context(busy_on(each))
            if seated(first, second) != [free, free]:
                pytest.skip("others use the processor that was left")
        working(first, second, seconds=LEAVING_S)
        until(lambda: seat(first) is None or seat(first) != seat(second), LEAVING_S)


def test_an_operator_may_leave_the_choice_to_the_kernel(tmp_path: Path) -> None:
    with serving(tmp_path, environ={"PROCESSORS": "all"}) as running:
        time.sleep(3)
        (worker,) = running.workers()
        assert set(threads(worker).values()) == {frozenset(ours())}


def test_more_workers_than_processors_keep_to_none(tmp_path: Path) -> None:
    with serving(tmp_path, workers=len(ours()) + 1) as running:
        time.sleep(3)
        for worker in running.workers():
            assert set(threads(worker).values()) == {frozenset(ours())}
