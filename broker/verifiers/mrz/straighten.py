"""Straightens each row of a zone by itself: perspective and curl stop mattering."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.locate import Group, Row

Floats: TypeAlias = NDArray[np.float32]

HIGH: Final = 32
PITCH: Final = 18
"""Pixels of a strip from one symbol to the next; capitals are about as high."""

MARGIN: Final = 3
"""Symbols' worth of picture before the first and after the last."""

LEADING: Final = 2.5
"""Between rows, in pitches (9303-3 §4.2: 6.35 mm to 2.54 mm)."""

NEAR: Final = 97
"""Pixels along the strip over which contrast is made even."""


def straighten(
    gray: NDArray[np.uint8], group: Group, symbols: int, shift: float = 0, zoom: float = 1
) -> Floats:
    """The rows as strips (rows, HIGH, width) of even contrast, made for `symbols` to the row.

    `shift` (pixels of the strip, downwards) and `zoom` show the same row a little differently.
    """
    step = group.length / (symbols * PITCH)
    # Foreshortened from above, symbols are lower than they are wide: the leading tells.
    tall = float(np.clip(group.leading / (LEADING * PITCH), 0.7 * step, 1.45 * step)) / zoom
    step /= zoom
    scale = min(1.0, 1.2 / min(step, tall))
    window, corner = _window(gray, group)
    if scale < 0.9:  # noqa: PLR2004  otherwise too little is won
        window = cv2.resize(window, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    else:
        scale = 1.0
    wide = round((symbols + 2 * MARGIN) * PITCH * zoom) // 4 * 4
    strips = []
    for row in group.rows:
        x, y = _grid(row, step, tall, wide, shift)
        x, y = (x - corner[0] + 0.5) * scale - 0.5, (y - corner[1] + 0.5) * scale - 0.5
        strip = cv2.remap(window, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        strips.append(evened(strip.astype(np.float32) / 255))
    return np.stack(strips)


def evened(strip: Floats) -> Floats:
    """Contrast made even along the strip: about 0 ± 1 everywhere, as the network has learnt."""
    size = (NEAR, HIGH * 2 - 1)
    mean = cv2.blur(strip, size, borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(strip * strip, size, borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    floor = 0.3 * float(strip.std()) + 0.01
    even: Floats = np.clip((strip - mean) / (spread + floor), -4, 4).astype(np.float32)
    return even


def _window(gray: NDArray[np.uint8], group: Group) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The part of the picture round the rows, and its upper left corner."""
    points = np.concatenate([row.points for row in group.rows])
    reach = group.length * 0.12 + group.leading
    low = np.maximum(points.min(0) - reach, 0).astype(int)
    high = np.minimum(points.max(0) + reach + 1, gray.shape[::-1]).astype(int)
    high = np.maximum(high, low + 1)
    return gray[low[1] : high[1], low[0] : high[0]], (int(low[0]), int(low[1]))


def _grid(row: Row, step: float, tall: float, wide: int, shift: float) -> Sequence[Floats]:
    """Where in the picture each pixel of the strip looks: x and y, HIGH × `wide`."""
    points = row.points.astype(np.float64)
    lengths = np.hypot(*np.diff(points, axis=0).T)
    at = np.concatenate(([0.0], np.cumsum(lengths)))
    middle = at[-1] / 2
    along = middle + (np.arange(wide) - (wide - 1) / 2) * step
    inside = np.clip(along, 0, at[-1])
    spine = np.stack([np.interp(inside, at, points[:, i]) for i in (0, 1)], axis=1)
    # Beyond its ends the row goes on straight, in the direction of its last fifth.
    first, last = _way(points[0], points[6]), _way(points[-7], points[-1])
    spine += np.minimum(along, 0)[:, None] * first
    spine += np.maximum(along - at[-1], 0)[:, None] * last
    ways = np.gradient(spine, axis=0)
    ways /= np.hypot(*ways.T)[:, None] + 1e-9
    v = (np.arange(HIGH) - (HIGH - 1) / 2 + shift)[:, None] * tall
    x = spine[:, 0] - ways[:, 1] * v
    y = spine[:, 1] + ways[:, 0] * v
    return x.astype(np.float32), y.astype(np.float32)


def _way(here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.float64]:
    way: NDArray[np.float64] = (there - here) / (np.hypot(*(there - here)) + 1e-9)
    return way
