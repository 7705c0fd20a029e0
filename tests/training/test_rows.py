"""Rows of invented photographs carry the labels of the symbols that stand there."""

import numpy as np
import pytest

from broker.verifiers.mrz.recognise import cut, frames
from training import glyphs
from training.rows import Strip, rows, window
from training.strips import BLANK, HIGH, STRIDE, UNCOUNTED, WIDE, labelled
from training.zones import SYMBOLS

pytestmark = pytest.mark.skipif(
    not glyphs.FONTS.is_dir(), reason="training only: Debian's fonts-ocr-b is not installed"
)


def some_rows(pictures: int = 12) -> list[Strip]:
    rng = np.random.default_rng(7)
    return [row for _ in range(pictures) for row in rows(rng)]


def test_symbols_gaps_and_what_is_neither_are_labelled() -> None:
    classes = labelled("A<", np.repeat((-0.5, 0.0, 0.5, 0.84, 1.0, 1.5, 2.5), STRIDE))
    wanted = (BLANK, BLANK, SYMBOLS.index("A"), UNCOUNTED, BLANK, SYMBOLS.index("<"), BLANK)
    assert tuple(classes) == wanted


def test_labels_say_what_the_reader_sees() -> None:
    right = many = 0
    for row in some_rows():
        if row.shown.shape[1] // STRIDE * STRIDE != row.shown.shape[1]:
            continue
        seen = cut(frames(row.shown[None]), len(row.text))
        told = "".join(SYMBOLS[i] for i in seen.likely[0].argmax(axis=1))
        if seen.clear[0] < -0.02:
            continue
        places = np.interp(seen.centres[0], np.arange(len(row.places)), row.places)
        assert np.abs(places - 0.5 - np.arange(len(row.text))).max() < 0.3
        right += sum(a == b for a, b in zip(told, row.text, strict=True))
        many += len(row.text)
    assert many > 200
    assert right > 0.99 * many


def test_a_window_is_as_wide_as_every_sample() -> None:
    rng = np.random.default_rng(3)
    for row in some_rows(2):
        shown, classes = window(rng, row)
        assert shown.shape == (HIGH, WIDE)
        assert classes.shape == (WIDE // STRIDE,)


def test_one_seed_gives_one_picture() -> None:
    one, other = some_rows(1), some_rows(1)
    assert [row.text for row in one] == [row.text for row in other]
    assert all(np.array_equal(a.shown, b.shown) for a, b in zip(one, other, strict=True))
