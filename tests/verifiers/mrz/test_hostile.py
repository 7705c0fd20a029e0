"""Hostile pictures: a clear answer, in time and within memory."""

from collections.abc import Iterator
from time import perf_counter

import pytest

from broker.verifiers.mrz.refusals import REFUSALS
from broker.verifiers.mrz.worker import Bounds, Worker
from tests.verifiers.mrz.hostile import HOSTILE, SIZES, fate, mutants, peak_mb
from tests.verifiers.mrz.pictures import encoded, plain

LEEWAY = 1.5
"""Seconds for this machine to have something else to do, and for a new process."""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker(SIZES)
    yield made
    made.stop()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_gets_a_clear_answer_in_two_seconds_and_300_mb(
    worker: Worker, name: str
) -> None:
    upload = HOSTILE[name].make()
    fate(worker, encoded(plain()))  # the process is there
    began = perf_counter()
    assert fate(worker, upload) in HOSTILE[name].fates
    assert perf_counter() - began < Bounds().opening + LEEWAY
    assert peak_mb(worker) <= Bounds().memory_mb


def test_no_mutant_gets_anything_but_a_known_answer(worker: Worker) -> None:
    fates = {fate(worker, upload) for upload in mutants(210, seed=7)}
    assert fates <= {"read", *REFUSALS}
    assert peak_mb(worker) <= Bounds().memory_mb
