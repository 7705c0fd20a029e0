"""The second opinion: a veto for whoever reads something else in the same rows."""

import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from broker.verifiers.mrz import second
from broker.verifiers.mrz.lattice import Decoded
from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import Group, locate
from broker.verifiers.mrz.picture import open_picture
from tests.verifiers.mrz.pictures import GOOD, specimen

OTHER = (GOOD[0].replace("INES", "AGNES").removesuffix("<"), GOOD[1])
CARD = (
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)


def told(lines: tuple[str, ...], likely: float) -> Decoded:
    """`lines` as our own reader has read them, every symbol as likely (a logarithm)."""
    return Decoded(lines, 0, -9, 0, 0, tuple((likely,) * len(line) for line in lines))


UNSURE = told(GOOD, -0.1)


@pytest.fixture(scope="module")
def found() -> tuple[Levels, Group]:
    picture = Levels(np.asarray(open_picture(specimen("specimen-photograph.jpg"))))
    return picture, locate(picture)[0]


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    second._program.cache_clear()
    yield
    second._program.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, does: str) -> None:
    """A program called tesseract that only knows its languages and `does` this."""
    program = folder / "tesseract"
    program.write_text(f'#!/bin/sh\nif [ "$1" = --list-langs ]; then echo eng; exit; fi\n{does}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("says", "is_veto"),
    [(OTHER, True), (CARD, True), (GOOD, False), (("NOTHING", "OF THE KIND"), False), ((), False)],
    ids=["another", "another-shape", "the-same", "no-zone", "nothing"],
)
def test_a_second_reader_that_differs_has_a_veto(
    says: tuple[str, ...],
    is_veto: bool,
    found: tuple[Levels, Group],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    lines = "\n".join(says)
    install(monkeypatch, tmp_path, f"cat > /dev/null; echo '{lines}'")
    monkeypatch.setattr(second, "SECONDS", 20)  # machines that do much else
    assert second.contradicts(*found, UNSURE) is is_veto


def test_a_second_reader_is_not_believed_about_symbols_that_are_plain(
    found: tuple[Levels, Group], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = "\n".join(OTHER)
    install(monkeypatch, tmp_path, f"cat > /dev/null; echo '{lines}'")
    monkeypatch.setattr(second, "SECONDS", 20)
    assert not second.contradicts(*found, told(GOOD, -0.001))


def test_a_second_reader_that_takes_its_time_is_not_waited_for(
    found: tuple[Levels, Group], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "exec sleep 30")
    began = monotonic()
    assert not second.contradicts(*found, UNSURE)
    assert monotonic() - began < 20


def test_without_a_second_reader_nobody_differs(
    found: tuple[Levels, Group], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not second.contradicts(*found, UNSURE)
