"""Finds strips of text that may be a machine-readable zone (home of PassportEye's box finder)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

FINDING_WIDTH = 250
"""Pixels of the small picture in which strips are looked for."""

MARGIN = 5
"""Pixels of the small picture that a strip is widened by on every side."""

MOST = 6
"""Strips of one picture that are worth a look."""

NARROWEST = 3.0
"""Width by height of the stoutest strip: three lines of a card are about 5 by 1."""

LEVEL = 0.1
"""The sine of the angle up to which two strips count as parallel."""

ALIKE = 0.6
"""How much narrower than the other one of two neighbouring lines may be."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A slanted rectangle of a picture, in its pixels; (`along_x`, `along_y`) is one symbol on."""

    x: float
    y: float
    width: float
    height: float
    along_x: float
    along_y: float

    def cut(self, picture: Image.Image) -> Image.Image:
        """What stands in the strip, level."""
        w, h = max(1, round(self.width)), max(1, round(self.height))
        ax, ay = self.along_x, self.along_y
        x0 = self.x - ax * w / 2 + ay * h / 2
        y0 = self.y - ay * w / 2 - ax * h / 2
        affine = (ax, -ay, x0, ay, ax, y0)
        level = Image.Transform.AFFINE
        return picture.transform((w, h), level, affine, Image.Resampling.BICUBIC, fillcolor=128)

    def is_beside(self, other: "Strip") -> bool:
        """Whether `other` is level with this one, about as wide, and touches it."""
        turn = abs(self.along_x * other.along_y - self.along_y * other.along_x)
        dx, dy = self._to(other)
        reach = (self.height + other.height) / 2
        alike = ALIKE < self.width / other.width < 1 / ALIKE
        return turn < LEVEL and alike and abs(dy) < reach and abs(dx) < self.width / 3

    def joined(self, other: "Strip") -> "Strip":
        """The strip, level with this one, that covers both."""
        dx, dy = self._to(other)
        left, right = _cover(self.width, dx, other.width)
        top, bottom = _cover(self.height, dy, other.height)
        along, across = (left + right) / 2, (top + bottom) / 2
        return Strip(
            x=self.x + along * self.along_x - across * self.along_y,
            y=self.y + along * self.along_y + across * self.along_x,
            width=right - left,
            height=bottom - top,
            along_x=self.along_x,
            along_y=self.along_y,
        )

    def _to(self, other: "Strip") -> tuple[float, float]:
        """How far on, and how far below, the middle of `other` is."""
        dx, dy = other.x - self.x, other.y - self.y
        return dx * self.along_x + dy * self.along_y, dy * self.along_x - dx * self.along_y

    def corners(self, grown: float) -> tuple[tuple[float, float], ...]:
        """The corners of the strip made `grown` times as large, clockwise."""
        ax, ay = self.along_x, self.along_y
        halves = (self.width * grown / 2, self.height * grown / 2)
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return tuple(
            (
                self.x + i * halves[0] * ax - j * halves[1] * ay,
                self.y + i * halves[0] * ay + j * halves[1] * ax,
            )
            for i, j in signs
        )


def strips(picture: Image.Image) -> tuple[Strip, ...]:
    """Up to MOST strips of a gray `picture` that look like lines of dense print, largest first."""
    scale = min(1.0, FINDING_WIDTH / picture.width)
    size = (round(picture.width * scale), max(1, round(picture.height * scale)))
    small = np.asarray(picture.resize(size, Image.Resampling.LANCZOS), dtype="float64") / 255
    # Imported here: two seconds and 150 MB that a worker which reads no picture does without.
    from passporteye.mrz.image import MRZBoxLocator  # noqa: PLC0415

    boxes = MRZBoxLocator(max_boxes=MOST, min_box_aspect=NARROWEST)(_dense_print(small))
    return _joined([_strip(box, scale) for box in boxes])


def _joined(found: list[Strip]) -> tuple[Strip, ...]:
    """The strips, those of neighbouring lines made one: large print is found line by line."""
    whole: list[Strip] = []
    for strip in found:
        beside = next((other for other in whole if other.is_beside(strip)), None)
        if beside is not None:
            whole.remove(beside)
        whole.append(beside.joined(strip) if beside else strip)
    return tuple(whole)


def _cover(length: float, offset: float, other: float) -> tuple[float, float]:
    """The ends of what covers a length about 0 and another about `offset`."""
    return min(-length / 2, offset - other / 2), max(length / 2, offset + other / 2)


def _dense_print(small: np.ndarray) -> np.ndarray:
    """True where dark strokes stand close together (the method that PassportEye follows too)."""
    from skimage.filters import sobel_v, threshold_otsu  # noqa: PLC0415  as above
    from skimage.morphology import black_tophat, closing, footprint_rectangle  # noqa: PLC0415

    square = footprint_rectangle((5, 5))
    strokes = np.abs(sobel_v(black_tophat(small, square)))
    closed = closing(strokes, square)
    dense: np.ndarray = closed > threshold_otsu(closed)
    return dense


def _strip(box: Any, scale: float) -> Strip:
    """A PassportEye box (rows first, angle from the vertical) in the pixels of the picture."""
    along_x, along_y = math.sin(box.angle), math.cos(box.angle)
    if along_x < 0:
        along_x, along_y = -along_x, -along_y
    return Strip(
        x=box.cy / scale,
        y=box.cx / scale,
        width=(box.width + 2 * MARGIN) / scale,
        height=(box.height + 2 * MARGIN) / scale,
        along_x=along_x,
        along_y=along_y,
    )
