"""The first engine, on photographs: slow, so each picture is read once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from broker.verifiers.mrz import EngineMissing, PassportEye, engine_available
from broker.verifiers.mrz.picture import open_picture
from broker.verifiers.mrz.spelling import holds
from broker.verifiers.mrz.strips import Strip
from tests.verifiers.mrz.pictures import GOOD, plain, specimen, zones_in


@pytest.fixture(scope="module")
def read() -> PassportEye:
    return PassportEye(engine_available())


@pytest.mark.parametrize(
    "name",
    [
        "specimen-photograph.jpg",
        "specimen-photograph.heic",
        "specimen-photograph-sideways.jpg",
        "specimen-upside-down.jpg",
    ],
)
def test_the_specimen_is_read_to_the_letter(name: str) -> None:
    assert zones_in(name) == (GOOD,)


@pytest.mark.parametrize("turn", [270, 6])
def test_it_is_read_however_the_telephone_was_held(read: PassportEye, turn: int) -> None:
    picture = open_picture(specimen("specimen-photograph.jpg"))
    assert read(picture.rotate(turn, expand=True)) == (GOOD,)


def test_a_damaged_zone_is_found_and_does_not_hold() -> None:
    (lines,) = zones_in("specimen-damaged.jpg")
    assert lines[1].startswith("UT4037315")
    assert not holds(lines)


def test_two_documents_are_two_zones() -> None:
    found = zones_in("specimen-two-documents.jpg")
    assert len(found) == 2
    assert GOOD in found


@pytest.mark.parametrize(
    ("name", "begins"), [("specimen-visa.jpg", "V"), ("specimen-identity-card.jpg", "I")]
)
def test_other_documents_are_read_too(name: str, begins: str) -> None:
    (lines,) = zones_in(name)
    assert lines[0].startswith(begins)
    assert holds(lines)


def test_a_desk_shows_none() -> None:
    assert zones_in("no-document.jpg") == ()


@pytest.mark.parametrize("color", [0, 127, 255])
def test_an_empty_picture_shows_none(read: PassportEye, color: int) -> None:
    assert read(plain((480, 160), "RGB", (color, color, color))) == ()


def test_no_time_means_no_reading() -> None:
    picture = open_picture(specimen("specimen-photograph.jpg"))
    assert PassportEye(engine_available(), seconds=0)(picture) == ()


def test_a_reader_that_hangs_is_stopped(tmp_path: Path) -> None:
    slow = tmp_path / "tesseract"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    picture = open_picture(specimen("specimen-photograph.jpg"))
    assert PassportEye(str(slow), seconds=1)(picture) == ()


def test_the_reader_is_told_to_use_one_thread_and_knows_nothing_else(tmp_path: Path) -> None:
    told = tmp_path / "told"
    spy = tmp_path / "tesseract"
    spy.write_text(f"#!/bin/sh\n/usr/bin/env > {told}\n")
    spy.chmod(0o755)
    PassportEye(str(spy))(open_picture(specimen("specimen-photograph.jpg")))
    names = {line.split("=")[0] for line in told.read_text().splitlines()}
    assert "OMP_THREAD_LIMIT=1" in told.read_text()
    assert names <= {"OMP_THREAD_LIMIT", "LC_ALL", "PWD", "_", "SHLVL", "OLDPWD"}


def test_without_the_program_the_start_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="tesseract-ocr-eng"):
        engine_available()


def test_without_its_english_data_the_start_says_so_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\necho osd\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="tesseract-ocr-eng"):
        engine_available()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_neither_we_nor_the_reader_create_a_file(tmp_path: Path) -> None:
    """Every file that a reading opens for writing, in all its processes, is a device.

    The libraries are imported before: an import may write its compiled form.
    """
    code = (
        "import sys\n"
        "from broker.verifiers.mrz import PassportEye, engine_available\n"
        "from broker.verifiers.mrz.picture import open_picture\n"
        "upload = open(sys.argv[1], 'rb').read()\n"
        "read = PassportEye(engine_available())\n"
        "import passporteye.mrz.image, skimage.filters, skimage.morphology\n"
        "print('BEGIN', file=sys.stderr, flush=True)\n"
        "assert read(open_picture(upload))\n"
    )
    trace = tmp_path / "trace"
    picture = Path("tests/vectors/passport/specimen-photograph.jpg").resolve()
    strace = ("strace", "-f", "-qq", "-e", "trace=open,openat,creat,write", "-o", str(trace))
    subprocess.run(
        (*strace, sys.executable, "-c", code, str(picture)),
        check=True,
        capture_output=True,
        env=os.environ,
    )
    after = trace.read_text(errors="replace").split("BEGIN", 1)[1]
    created = [
        line
        for line in after.splitlines()
        if ("O_CREAT" in line or "creat(" in line) and "/dev/null" not in line
    ]
    assert created == []


def test_strips_join_only_their_neighbours() -> None:
    upper = Strip(500, 400, 400, 40, 1, 0)
    lower = Strip(505, 430, 380, 40, 1, 0)
    assert upper.is_beside(lower)
    assert not upper.is_beside(Strip(500, 600, 400, 40, 1, 0))
    assert not upper.is_beside(Strip(500, 430, 100, 40, 1, 0))
    assert not upper.is_beside(Strip(500, 430, 380, 40, 0, 1))
    both = upper.joined(lower)
    assert (both.y, both.height) == (415, 70)
    assert (both.x - both.width / 2, both.x + both.width / 2) == (300, 700)
