"""Straightens each row of a zone by itself: perspective and curl stop mattering."""

from collections.abc import Iterator
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import Group, Row

Floats: TypeAlias = NDArray[np.float32]

HIGH: Final = 32
TALL: Final = 56
"""Pixels round a row in which its print is looked for; its neighbours stay outside."""

PRINT: Final = 19
"""Pixels of a strip that print is high."""

PARTS: Final = 8
"""Parts of a row that are moved to where their print is, as far as a straight line can."""

PITCH: Final = 18
"""Pixels of a strip from one symbol to the next; capitals are about as high."""

MARGIN: Final = 3
"""Symbols' worth of picture before the first and after the last."""

LEADING: Final = 2.5
"""Between rows, in pitches (9303-3 §4.2: 6.35 mm to 2.54 mm)."""

NEAR: Final = 97
"""Pixels along the strip over which contrast is made even."""


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
    """
    tall = _tall(group, symbols)
    rows = []
    for row, strip in zip(group.rows, _strips(picture, group, symbols, TALL, 0, 1), strict=True):
        change = np.abs(np.diff(strip, axis=1))
        change = np.minimum(change, np.percentile(change, 97))
        parts = np.array_split(change[:, MARGIN * PITCH : -MARGIN * PITCH], PARTS, axis=1)
        off, weights = zip(*(_offset(part.sum(axis=1)) for part in parts), strict=True)
        bend = np.polynomial.Polynomial.fit(np.linspace(0, 1, PARTS), off, 1, w=weights)
        moved = bend(np.linspace(0, 1, len(row.points)))[:, None] * tall
        across = np.array((-row.along[1], row.along[0]), np.float32)
        points = (row.points + moved * across).astype(np.float32)
        rows.append(Row(points, row.along, row.sure))
    return Group(tuple(rows), group.leading)


def _offset(profile: Floats) -> tuple[float, float]:
    """How far below the middle the band of print lies, in pixels of the strip, and how surely."""
    smooth = np.convolve(profile - np.median(profile), np.ones(PRINT) / PRINT, "same")
    reach = TALL // 2 - PRINT // 2
    near = smooth[TALL // 2 - reach : TALL // 2 + reach + 1]
    best = int(near.argmax())
    return best - reach + 0.5, max(float(near[best]), 1e-3)


def _tall(group: Group, symbols: int) -> float:
    """Pixels of the picture to one of the strip, across the row.

    Foreshortened from above, symbols are lower than they are wide: the leading tells.
    """
    step = group.length / (symbols * PITCH)
    return min(max(group.leading / (LEADING * PITCH), 0.7 * step), 1.45 * step)


def _strips(  # noqa: PLR0913  what is shown, and how
    picture: Levels, group: Group, symbols: int, high: int, shift: float, zoom: float
) -> Iterator[Floats]:
    """The rows as they are, `high` pixels high, levels 0–1."""
    step, tall = group.length / (symbols * PITCH) / zoom, _tall(group, symbols) / zoom
    gray, scale = picture.at(min(step, tall))
    wide = round((symbols + 2 * MARGIN) * PITCH * zoom) // 4 * 4
    for row in group.rows:
        x, y = _grid(row, step, tall, wide, np.arange(high) - (high - 1) / 2 + shift)
        x, y = (x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5
        strip = cv2.remap(gray, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        yield strip.astype(np.float32) / 255


def evened(strip: Floats) -> Floats:
    """Contrast made even along the strip: about 0 ± 1 everywhere, as the network has learnt."""
    size = (NEAR, HIGH * 2 - 1)
    mean = cv2.blur(strip, size, borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(strip * strip, size, borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    floor = 0.3 * float(strip.std()) + 0.01
    even: Floats = np.clip((strip - mean) / (spread + floor), -4, 4).astype(np.float32)
    return even


def _grid(row: Row, step: float, tall: float, wide: int, below: Floats) -> tuple[Floats, Floats]:
    """Where in the picture each pixel of the strip looks, x and y; `below` are its heights."""
    along = row_length(row) / 2 + (np.arange(wide) - (wide - 1) / 2) * step
    spine = _at(row, along)
    ways = np.gradient(spine, axis=0)
    ways /= np.hypot(*ways.T)[:, None] + 1e-9
    v = below[:, None] * tall
    x = spine[:, 0] - ways[:, 1] * v
    y = spine[:, 1] + ways[:, 0] * v
    return x.astype(np.float32), y.astype(np.float32)


def reach(group: Group, symbols: int, pixels: Floats) -> Floats:
    """Pixels of the picture along each row (from its start) of `pixels` along its strip."""
    step = group.length / (symbols * PITCH)
    wide = round((symbols + 2 * MARGIN) * PITCH) // 4 * 4
    middles = np.array([row_length(row) / 2 for row in group.rows])
    reached: Floats = middles[:, None] + (pixels - (wide - 1) / 2) * step
    return reached


def respaced(group: Group, spans: Floats) -> Group:
    """The group with each row from `spans` (rows, 2) to `spans`, pixels along it; or longer."""
    rows = []
    for row, (first, last) in zip(group.rows, spans, strict=True):
        points = _at(row, np.linspace(first, last, len(row.points))).astype(np.float32)
        rows.append(Row(points, row.along, row.sure))
    return Group(tuple(rows), group.leading)


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
