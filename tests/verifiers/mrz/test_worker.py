"""The reading process: bounded, replaced when it ends, and no request is lost with it."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest

from broker.errors import EvidenceRejected, UpstreamUnavailable
from broker.verifiers.mrz.answer import Answer, Cause
from broker.verifiers.mrz.frames import Gone, from_json, to_json
from broker.verifiers.mrz.worker import Bounds, Worker
from tests.verifiers.mrz.pictures import encoded, plain, specimen

READERS = "tests.verifiers.mrz.readers"
PICTURE = encoded(plain((640, 480), color=(255, 255, 255)))
SLEEPY, DEADLY, GREEDY = (
    encoded(plain((640, 480), color=color)) for color in ((0, 0, 0), (255, 0, 0), (0, 0, 255))
)
BOUNDS = Bounds(opening=20)
"""Patient, for machines that do much else."""


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(f"{READERS}:size", BOUNDS)
    yield made
    made.stop()


@pytest.fixture
def moody() -> Iterator[Worker]:
    made = Worker(f"{READERS}:moody", replace(BOUNDS, reading=1))
    yield made
    made.stop()


def refusal(worker: Worker, *uploads: bytes) -> str:
    with pytest.raises(EvidenceRejected) as caught:
        worker(uploads)
    return caught.value.code


def pid_in(answer: Answer) -> int:
    return int(answer.zones[0][1])


def test_nothing_is_started_before_the_first_picture() -> None:
    assert Worker(f"{READERS}:size").process_id is None


def test_pictures_are_read_by_another_process_and_always_the_same(worker: Worker) -> None:
    first, second = worker((PICTURE,)), worker((PICTURE, PICTURE))
    assert [zone[0] for zone in second.zones] == ["640x480", "640x480"]
    assert os.getpid() != pid_in(first) == pid_in(second) == worker.process_id


def test_a_file_that_does_not_open_is_refused_by_its_own_code(worker: Worker) -> None:
    assert refusal(worker, b"not a picture") == "picture_not_an_image"
    assert refusal(worker, specimen("specimen-photograph.jpg")[:9000]) == "picture_damaged"
    assert worker((PICTURE,)).zones


def test_a_killed_process_is_replaced_and_its_request_answered(worker: Worker) -> None:
    old = pid_in(worker((PICTURE,)))
    os.kill(old, signal.SIGKILL)
    assert pid_in(worker((PICTURE,))) != old


def test_a_request_under_way_survives_the_death_of_the_process() -> None:
    with ThreadPoolExecutor() as pool:
        worker = Worker(f"{READERS}:size", BOUNDS)
        first = worker((PICTURE,))
        big = encoded(plain((6000, 4000), "L"))
        answers = [pool.submit(worker, (big,)) for _ in range(4)]
        sleep(0.05)
        os.kill(pid_in(first), signal.SIGKILL)
        assert {answer.result().zones[0][0] for answer in answers} == {"3000x2000"}
    worker.stop()


def test_a_picture_that_takes_too_long_is_refused_and_the_next_one_read(moody: Worker) -> None:
    moody((PICTURE,))
    began = monotonic()
    assert refusal(moody, SLEEPY) == "picture_too_costly"
    assert monotonic() - began < 1 + 1
    assert moody((PICTURE,)).cause == Cause.NOT_FOUND


def test_a_picture_that_kills_every_process_is_refused(moody: Worker) -> None:
    assert refusal(moody, DEADLY) == "picture_too_costly"
    assert moody((PICTURE,)).cause == Cause.NOT_FOUND


def test_a_process_that_cannot_be_started_is_no_fault_of_the_picture() -> None:
    worker = Worker(f"{READERS}:missing", BOUNDS)
    with pytest.raises(UpstreamUnavailable) as caught:
        worker((PICTURE,))
    assert (caught.value.code, caught.value.status) == ("reader_gone", 503)
    worker.stop()


def test_a_program_that_is_not_there_is_no_fault_of_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(UpstreamUnavailable, match="reader_gone"):
        Worker(f"{READERS}:size", BOUNDS)((PICTURE,))


def test_a_picture_that_takes_too_much_memory_is_refused_by_the_same_process(moody: Worker) -> None:
    moody((PICTURE,))
    before = moody.process_id
    assert refusal(moody, GREEDY) == "picture_too_costly"
    assert moody.process_id == before


def test_the_process_writes_no_file_and_what_is_printed_is_no_answer() -> None:
    target = Path("/tmp/miftah-never")  # noqa: S108  the test is that it stays empty
    target.unlink(missing_ok=True)
    worker = Worker(f"{READERS}:writer", BOUNDS)
    assert worker((PICTURE,)) == Answer(cause=Cause.BLURRED)
    worker.stop()
    target.unlink(missing_ok=True)


def test_no_setting_or_secret_reaches_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_DATABASE_URL", "sqlite://")
    worker = Worker(f"{READERS}:unsettled", BOUNDS)
    assert worker((PICTURE,)).zones == ((),)
    worker.stop()


def test_a_full_queue_says_so_at_once() -> None:
    worker = Worker(f"{READERS}:moody", replace(BOUNDS, reading=2, waiting=1))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(worker, (SLEEPY,))
        while worker.process_id is None:
            sleep(0.01)
        assert refusal(worker, PICTURE) == "reader_busy"
        with pytest.raises(EvidenceRejected):
            first.result()
    worker.stop()


@pytest.mark.parametrize(
    "answer", [Answer((("AB", "C<"),), None, (((99, 50), (1, 0)),)), Answer(cause=Cause.BLURRED)]
)
def test_what_the_process_says_is_heard_whole(answer: Answer) -> None:
    assert from_json(json.loads(json.dumps(to_json(answer))), frozenset()) == answer


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"refused": "<script>"},
        {"zones": None, "cause": None},
        {"zones": [], "cause": "pwned"},
        {"zones": [[]]},
        {"zones": [], "cause": None, "sure": [["x"]]},
    ],
)
def test_nonsense_is_no_answer(said: dict[str, object]) -> None:
    with pytest.raises(Gone):
        from_json(said, frozenset({"picture_damaged"}))
