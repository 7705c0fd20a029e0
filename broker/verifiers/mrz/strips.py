"""Finds strips of text that may be a machine-readable zone (home of PassportEye's box finder)."""

import math
from dataclasses import dataclass

import numpy as np
from passporteye.mrz.image import MRZBoxLocator  # type: ignore[import-untyped]  # ships no types
from PIL import Image
from skimage import filters, morphology  # type: ignore[import-untyped]  # ships no types

FINDING_WIDTH = 250
"""Pixels of the small picture in which strips are looked for."""

MARGIN = 5
"""Pixels of the small picture that a strip is widened by on every side."""


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
    """Up to four strips of a gray `picture` that look like lines of dense print, largest first."""
    scale = min(1.0, FINDING_WIDTH / picture.width)
    size = (round(picture.width * scale), max(1, round(picture.height * scale)))
    small = np.asarray(picture.resize(size, Image.Resampling.LANCZOS), dtype="float64") / 255
    boxes = MRZBoxLocator()(_dense_print(small))
    return tuple(_strip(box, scale) for box in boxes)


def _dense_print(small: np.ndarray) -> np.ndarray:
    """True where dark strokes stand close together (the method that PassportEye follows too)."""
    square = morphology.footprint_rectangle((5, 5))
    strokes = np.abs(filters.sobel_v(morphology.black_tophat(small, square)))
    closed = morphology.closing(strokes, square)
    dense: np.ndarray = closed > filters.threshold_otsu(closed)
    return dense


def _strip(box: "MRZBoxLocator", scale: float) -> Strip:
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
