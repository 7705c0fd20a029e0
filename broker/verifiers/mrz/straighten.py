"""Straightens each row of a zone by itself: perspective and curl stop mattering."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import Group, Row

Floats: TypeAlias = NDArray[np.float32]

HIGH: Final = 32
TALL: Final = 56
"""Pixels round a row in which its print is looked for; its neighbours stay outside."""

PRINT: Final = 19
"""Pixels of a strip that print is high."""

CAPITALS: Final = 18.5
"""Pixels of a strip that capitals are high, blur included."""

PARTS: Final = 12
"""Parts of a row in which its print is followed."""

REACH: Final = TALL // 2 - PRINT // 2
"""Pixels of a strip above and below its middle in which the middle of its print may lie."""

ORDER: Final = 3
LEAST_SURE: Final = 1e-4

PITCH: Final = 18
"""Pixels of a strip from one symbol to the next; capitals are about as high."""

MARGIN: Final = 3
"""Symbols' worth of picture before the first and after the last."""

LEADING: Final = 2.5
"""Between rows, in pitches (9303-3 §4.2: 6.35 mm to 2.54 mm)."""

NEAR: Final = 97
"""Pixels along the strip over which contrast is made even."""

_HEIGHTS: Final = np.arange(2 * REACH + 1)
_LEAPS: Final = 0.02 * (_HEIGHTS[:, None] - _HEIGHTS) ** 2
_BANDS: Final = (
    np.abs(np.arange(TALL)[:, None] - (_HEIGHTS + TALL // 2 - REACH)) <= PRINT // 2
) / PRINT
"""From what lies at every height to the mean of the band about each (TALL, heights)."""


def straighten(
    picture: Levels, group: Group, symbols: int, shift: float = 0, zoom: float = 1
) -> Floats:
    """The rows as strips (rows, HIGH, width) of even contrast, made for `symbols` to the row.

    `shift` (pixels of the strip, downwards) and `zoom` show the same row a little differently.
    """
    strips = _strips(picture, group, symbols, HIGH, shift, zoom)
    return np.stack([evened(strip) for strip in strips])


def plain_strips(picture: Levels, group: Group, symbols: int, high: int) -> Floats:
    """The rows as strips (rows, `high`, width) as they are, levels 0–1."""
    return np.stack(list(_strips(picture, group, symbols, high, 0, 1)))


def centred(picture: Levels, group: Group, symbols: int) -> Group:
    """The group with each row moved to where its print is: finders are a little off.

    Print changes quickly along the row, paper does not: the band with the most change is the row.
    Rows of one page bend alike, each lies a little askew for itself.
    """
    tall = _tall(group, symbols)
    changes = [_changes(strip) for strip in _strips(picture, group, symbols, TALL, 0, 1)]
    found = [_followed(parts) for parts in changes]
    at = np.linspace(-1, 1, PARTS)
    straight = [Polynomial.fit(at, off, 1, w=sure) for off, sure in found]
    bends = [off - line(at) for (off, _), line in zip(found, straight, strict=True)]
    sure = np.stack([sure for _, sure in found]) + LEAST_SURE
    bend = Polynomial.fit(at, np.average(bends, axis=0, weights=sure), ORDER, w=sure.mean(axis=0))
    rows = []
    for row, line in zip(group.rows, straight, strict=True):
        steps = 2 * _before_lean(np.linspace(0, 1, len(row.points)), group.lean) - 1
        moved = (line(steps) + bend(steps))[:, None] * tall
        across = np.array((-row.along[1], row.along[0]), np.float32)
        rows.append(Row((row.points + moved * across).astype(np.float32), row.along, row.sure))
    high = float(np.median([_height(c, off) for c, (off, _) in zip(changes, found, strict=True)]))
    return replace(group, rows=tuple(rows), high=high * tall)


def _changes(strip: Floats) -> Floats:
    """How quickly levels change along each part of a strip, at each height (PARTS, TALL)."""
    change = np.abs(np.diff(strip[:, MARGIN * PITCH : -MARGIN * PITCH], axis=1))
    few = np.minimum(change, np.percentile(change[:, ::3], 97))
    return np.stack([part.mean(axis=1) for part in np.array_split(few, PARTS, axis=1)])


def _height(parts: Floats, off: Floats) -> float:
    """How high the print is, in pixels of the strip: where less than half changes, it is over.

    `parts` (PARTS, TALL) are how much changes at each height, print lies `off` (PARTS) below.
    """
    heights = np.arange(TALL) - (TALL - 1) / 2
    about = [np.interp(heights + way, heights, part) for part, way in zip(parts, off, strict=True)]
    profile = np.convolve(np.mean(about, axis=0), np.ones(3) / 3, "same")
    inside = np.median(profile[TALL // 2 - PRINT // 4 : TALL // 2 + PRINT // 4])
    is_over = profile < (inside + np.percentile(profile, 10)) / 2
    above = np.flatnonzero(is_over[: TALL // 2])
    below = np.flatnonzero(is_over[TALL // 2 :])
    top = int(above[-1]) + 1 if len(above) else 0
    bottom = int(below[0]) if len(below) else TALL // 2
    return float(bottom + TALL // 2 - top)


def _followed(parts: Floats) -> tuple[Floats, Floats]:
    """How far below the middle the print of each part of a strip lies, and how surely.

    The way from part to part that goes through the most change, and does not leap, is the row.
    """
    # How much more changes in the band about each height than elsewhere.
    profiles = (parts - np.median(parts, axis=1, keepdims=True)) @ _BANDS
    leaps = _LEAPS * float(profiles.max())
    best, back = profiles[0], []
    for profile in profiles[1:]:
        ways = best[:, None] - leaps
        back.append(ways.argmax(axis=0))
        best = profile + ways.max(axis=0)
    way = [int(best.argmax())]
    for before in reversed(back):
        way.append(int(before[way[-1]]))
    path = np.array(way[::-1])
    return path - REACH + 0.5, np.maximum(profiles[np.arange(PARTS), path], 1e-3)


def _tall(group: Group, symbols: int) -> float:
    """Pixels of the picture to one of the strip, across the row.

    Foreshortened from above, symbols are lower than they are wide: their height tells, or the
    leading while nobody has measured that.
    """
    step = group.length / (symbols * PITCH)
    tall = group.high / CAPITALS or group.leading / (LEADING * PITCH)
    return min(max(tall, 0.65 * step), 1.5 * step)


def _strips(  # noqa: PLR0913  what is shown, and how
    picture: Levels, group: Group, symbols: int, high: int, shift: float, zoom: float
) -> Iterator[Floats]:
    """The rows as they are, `high` pixels high, levels 0–1."""
    step, tall = group.length / (symbols * PITCH) / zoom, _tall(group, symbols) / zoom
    gray, scale = picture.at(min(step, tall))
    wide = round((symbols + 2 * MARGIN) * PITCH * zoom) // 4 * 4
    part = (np.arange(wide) - (wide - 1) / 2) / (symbols * PITCH * zoom) + 0.5
    below = np.arange(high, dtype=np.float32)[:, None] + np.float32(shift - (high - 1) / 2)
    for row in group.rows:
        along = row_length(row) * _leaning(part, group.lean)
        x, y = _grid(row, along, tall * _larger(part, group.lean), below, scale)
        strip = cv2.remap(gray, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        yield strip.astype(np.float32) / 255


def _leaning(part: Floats, lean: float) -> Floats:
    """Which part of a row's length lies before a part of its symbols."""
    along: Floats = part * (1 + lean) / (1 + lean * part)
    return along


def _before_lean(along: Floats, lean: float) -> Floats:
    """Which part of a row's symbols lies in a part of its length."""
    part: Floats = along / (1 + lean - lean * along)
    return part


def _larger(part: Floats, lean: float) -> Floats:
    """How much larger than on average symbols are there."""
    larger: Floats = (1 + lean) / (1 + lean * part) ** 2
    return larger


def evened(strip: Floats) -> Floats:
    """Contrast made even along the strip: about 0 ± 1 everywhere, as the network has learnt."""
    size = (NEAR, HIGH * 2 - 1)
    mean = cv2.blur(strip, size, borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(strip * strip, size, borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    floor = 0.3 * float(strip.std()) + 0.01
    even: Floats = np.clip((strip - mean) / (spread + floor), -4, 4).astype(np.float32)
    return even


def _grid(
    row: Row, along: Floats, tall: Floats, below: Floats, scale: float
) -> tuple[Floats, Floats]:
    """Where in the picture, made `scale` times as large, each pixel of the strip looks, x and y.

    `along` and `tall` (width) are pixels of the picture: how far along the row, and how many to
    one of the strip across it; `below` (height, 1) are pixels of the strip.
    """
    spine = _at(row, along)
    ways = np.gradient(spine, axis=0)
    ways *= (scale * tall / (np.hypot(*ways.T) + 1e-9))[:, None]
    x, y = ((spine + 0.5) * scale - 0.5).astype(np.float32).T
    across, down = ways.astype(np.float32).T
    return x - down * below, y + across * below


def reach(group: Group, symbols: int, pixels: Floats) -> Floats:
    """Pixels of the picture along each row (from its start) of `pixels` along its strip."""
    wide = round((symbols + 2 * MARGIN) * PITCH) // 4 * 4
    part = (pixels - (wide - 1) / 2) / (symbols * PITCH) + 0.5
    lengths = np.array([row_length(row) for row in group.rows])
    reached: Floats = lengths[:, None] * _leaning(part, group.lean)
    return reached


def respaced(group: Group, spans: Floats) -> Group:
    """The group with each row from `spans` (rows, 2) to `spans`, pixels along it; not leaning."""
    rows = []
    for row, (first, last) in zip(group.rows, spans, strict=True):
        points = _at(row, np.linspace(first, last, len(row.points))).astype(np.float32)
        rows.append(Row(points, row.along, row.sure))
    return replace(group, rows=tuple(rows), lean=0)


def row_length(row: Row) -> float:
    """Pixels of the picture along a row, its bends included."""
    return float(np.hypot(*np.diff(row.points, axis=0).T).sum())


def _at(row: Row, along: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points so many pixels along the row; beyond its ends it goes on straight."""
    points = row.points.astype(np.float64)
    lengths = np.hypot(*np.diff(points, axis=0).T)
    at = np.concatenate(([0.0], np.cumsum(lengths)))
    inside = np.clip(along, 0, at[-1])
    spine = np.stack([np.interp(inside, at, points[:, i]) for i in (0, 1)], axis=1)
    first, last = _way(points[0], points[6]), _way(points[-7], points[-1])
    spine += np.minimum(along, 0)[:, None] * first
    spine += np.maximum(along - at[-1], 0)[:, None] * last
    return spine


def _way(here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.float64]:
    way: NDArray[np.float64] = (there - here) / (np.hypot(*(there - here)) + 1e-9)
    return way
