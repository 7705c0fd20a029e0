"""Rows cut out of pictures: level, at one size, of even contrast."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import Group, Row
from broker.verifiers.mrz.straighten import HIGH, MARGIN, PITCH, centred, straighten


def row(start: tuple[float, float], end: tuple[float, float]) -> Row:
    part = np.linspace(0, 1, 33)[:, None]
    points = np.array(start) * (1 - part) + np.array(end) * part
    along = (np.array(end) - start) / np.hypot(*(np.array(end) - start))
    return Row(points.astype(np.float32), along.astype(np.float32), 1)


def ticks(wide: int = 900, high: int = 400) -> Levels:
    """See `paper`."""
    return Levels(paper(wide, high))


def paper(wide: int = 900, high: int = 400) -> NDArray[np.uint8]:
    """White paper with a black tick every 20 pixels at heights 100 and 150."""
    gray: NDArray[np.uint8] = np.full((high, wide), 255, np.uint8)
    for x in range(100, 700, 20):
        gray[95:105, x : x + 4] = gray[145:155, x : x + 4] = 0
    return gray


LEVEL = Group((row((92, 100), (692, 100)), row((92, 150), (692, 150))), 50)


def test_symbols_stand_one_pitch_apart_whatever_their_size_in_the_picture() -> None:
    strips = straighten(ticks(), LEVEL, 30)
    assert strips.shape == (2, HIGH, (30 + 2 * MARGIN) * PITCH // 4 * 4)
    middle = strips[0, HIGH // 2]
    starts = np.flatnonzero((middle[1:] < -1) & (middle[:-1] >= -1))
    assert len(starts) == 30
    assert np.diff(starts) == pytest.approx(PITCH, abs=1.01)


def test_a_row_read_the_other_way_is_turned() -> None:
    turned = Group((row((692, 150), (92, 150)), row((692, 100), (92, 100))), 50)
    there, back = straighten(ticks(), LEVEL, 30)[0], straighten(ticks(), turned, 30)[1]
    assert np.abs(there - back[::-1, ::-1]).max() < 0.5


def test_the_same_row_is_the_same_strip_however_the_picture_is_turned() -> None:
    quarter = Levels(np.ascontiguousarray(np.rot90(paper())))
    wide = paper().shape[1]
    upright = Group(tuple(row((y, wide - 1 - 92), (y, wide - 1 - 692)) for y in (100, 150)), 50)
    assert np.abs(straighten(quarter, upright, 30) - straighten(ticks(), LEVEL, 30)).max() < 0.5


def test_a_shadow_across_the_row_leaves_no_mark() -> None:
    shaded = Levels((paper() * np.linspace(1, 0.4, 900)[None]).astype(np.uint8))
    evened = straighten(shaded, LEVEL, 30)[0, HIGH // 2]
    ink = evened < -1
    assert (np.diff(ink.astype(int)) == 1).sum() == 30


def test_rows_at_the_edge_of_the_picture_do_no_harm() -> None:
    outside = Group((row((-50, 2), (940, 2)), row((-50, 52), (940, 52))), 50)
    assert np.isfinite(straighten(ticks(), outside, 44)).all()


def test_symbols_that_grow_smaller_along_the_row_are_shown_alike() -> None:
    gray: NDArray[np.uint8] = np.full((400, 900), 255, np.uint8)
    lean = 0.3
    part = (np.arange(30) + 0.2) / 30
    at = 92 + 600 * part * (1 + lean) / (1 + lean * part)
    for x in at.round().astype(int):
        gray[95:105, x : x + 4] = 0
    strip = straighten(Levels(gray), replace(LEVEL, lean=lean), 30)[0, HIGH // 2]
    starts = np.flatnonzero((strip[1:] < -1) & (strip[:-1] >= -1))
    assert len(starts) == 30
    assert np.diff(starts) == pytest.approx(PITCH, abs=2.01)


def drawn(tall: int, bend: float) -> Levels:
    """The ticks `tall` pixels high, on rows that sag by `bend` pixels in the middle."""
    gray: NDArray[np.uint8] = np.full((400, 900), 255, np.uint8)
    for x in range(100, 700, 20):
        low = round(bend * (1 - ((x - 392) / 300) ** 2))
        for y in (100, 150):
            gray[y + low - tall // 2 : y + low + tall // 2, x : x + 4] = 0
    return Levels(gray)


@pytest.mark.parametrize("tall", [14, 20, 26])
def test_print_is_shown_as_high_as_any_whatever_its_height_in_the_picture(tall: int) -> None:
    picture = drawn(tall, 0)
    strip = straighten(picture, centred(picture, LEVEL, 30), 30)[0]
    ink = (strip[:, 3 * PITCH : -3 * PITCH] < -1).any(axis=1).sum()
    assert ink == pytest.approx(18.5, abs=3)


def test_rows_that_bend_are_followed() -> None:
    picture = drawn(18, 16)
    strip = straighten(picture, centred(picture, LEVEL, 30), 30)[0]
    ink = (strip[:, 3 * PITCH : -3 * PITCH] < -1).any(axis=1).sum()
    assert ink < 27  # 18 and 16 would be 34
