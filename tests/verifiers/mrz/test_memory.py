"""The reading process is small, and has nothing of the house in it."""

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from broker.verifiers.mrz import READER, Bounds, Worker
from tests.verifiers.mrz.hostile import fate, peak_mb
from tests.verifiers.mrz.pictures import encoded, specimen

READING_MB = 150
"""What a photograph of twelve megapixels may take, libraries and networks included."""

OTHER_ROOMS = {"keyring", "outbound", "settings", "db", "jose", "web", "app"}
OTHERS = {"cryptography", "pydantic", "flask", "sqlalchemy", "ssl", "authlib", "requests"}


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(READER)
    yield made
    made.stop()


def twelve_megapixels(kind: str, **how: object) -> bytes:
    with Image.open(BytesIO(specimen("specimen-photograph.jpg"))) as picture:
        return encoded(picture.resize((4000, 3000)), kind, **how)


def test_a_photograph_of_twelve_megapixels_is_read_in_150_mb(worker: Worker) -> None:
    assert fate(worker, twelve_megapixels("JPEG", quality=90)) == "read"
    assert 0 < peak_mb(worker) <= READING_MB


def test_what_one_picture_has_needed_is_there_for_the_next(worker: Worker) -> None:
    # A WebP takes twenty bytes a pixel to open: as much as is left, and not a little less.
    large = twelve_megapixels("WEBP", method=0, quality=80)
    assert [fate(worker, large) for _ in range(3)] == ["read"] * 3
    assert peak_mb(worker) <= Bounds().memory_mb


def test_what_handles_hostile_bytes_has_no_key_and_no_network_in_it() -> None:
    reader = READER.partition(":")[0]
    code = f"import sys, broker.verifiers.mrz.workshop, {reader}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(run.stdout.split())
    assert loaded & {f"broker.{room}" for room in OTHER_ROOMS} == set()
    assert loaded & OTHERS == set()


def test_libraries_for_rarer_files_are_loaded_for_them_only() -> None:
    code = "import sys, broker.verifiers.mrz.workshop; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert set(run.stdout.split()) & {"pypdfium2", "pillow_heif"} == set()
