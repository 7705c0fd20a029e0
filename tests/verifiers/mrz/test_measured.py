"""What an operator sees of the reading of pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from broker.errors import EvidenceRejected
from broker.verifiers.mrz.answer import Answer, ReadUploads
from broker.verifiers.mrz.measured import measured
from broker.verifiers.mrz.worker import Worker
from broker.web.tools import Tools
from tests import metering
from tests.metering import seen
from tests.verifiers.mrz.test_worker import BOUNDS, DEADLY, PICTURE, READERS, SLEEPY


@pytest.fixture
def read(tools: Tools, tmp_path: Path) -> Iterator[ReadUploads]:
    """A reader that sleeps over black pictures and dies of red ones."""
    meter = metering.metered(tools, tmp_path).meter
    worker = Worker(f"{READERS}:moody", replace(BOUNDS, reading=1), meter)
    yield measured(worker, meter)
    worker.stop()


def refused(read: ReadUploads, upload: bytes) -> None:
    with pytest.raises(EvidenceRejected):
        read((upload,))


def count(tmp_path: Path, result: str) -> float:
    """Pictures with this result."""
    return sum(
        value
        for (name, part, *labels), value in seen(tmp_path).items()
        if name == "broker_picture_seconds" and part != "sum" and labels == [result]
    )


def test_what_was_read_and_what_was_not_is_told_apart(read: ReadUploads, tmp_path: Path) -> None:
    read((PICTURE,))
    refused(read, b"not a picture")
    assert (count(tmp_path, "read"), count(tmp_path, "refused")) == (1, 1)
    assert "broker_readers_killed_total" not in {row[0] for row in seen(tmp_path)}


def test_a_process_that_is_too_slow_or_gone_is_counted(read: ReadUploads, tmp_path: Path) -> None:
    read((PICTURE,))
    refused(read, SLEEPY)
    assert seen(tmp_path)["broker_readers_killed_total", "", "late"] == 1
    refused(read, DEADLY)
    assert seen(tmp_path)["broker_readers_killed_total", "", "gone"] == 2  # it was tried again
    assert count(tmp_path, "too_costly") == 2


def test_a_fault_of_ours_is_no_refusal(tools: Tools, tmp_path: Path) -> None:
    def broken(_: Sequence[bytes]) -> Answer:
        raise OSError("no process can be started")

    with pytest.raises(OSError, match="no process"):
        measured(broken, metering.metered(tools, tmp_path).meter)((PICTURE,))
    assert count(tmp_path, "failed") == 1
