"""A picture of gray levels and its halves: what is looked at small is not scaled down each time."""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Gray: TypeAlias = NDArray[np.uint8]

COARSE: Final = 1.45
"""Pixels of a picture to one of what is made of it, above which its half does as well."""

LEAST: Final = 64
"""Pixels of the shorter side under which nothing is halved any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """`gray` and what has been made of it so far."""

    gray: Gray
    _halves: list[Gray] = field(default_factory=list, init=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the whole picture, in pixels."""
        high, wide = self.gray.shape
        return high, wide

    def at(self, step: float) -> tuple[Gray, float]:
        """The smallest half, quarter... that serves whoever takes a pixel in `step`; its scale.

        A point (x, y) of the picture lies at ((x + ½) scale - ½, ...) of what comes back.
        """
        gray, scale, depth = self.gray, 1.0, 0
        while step * scale > COARSE and min(gray.shape) >= 2 * LEAST:
            if depth == len(self._halves):
                self._halves.append(_halved(gray))
            gray, scale, depth = self._halves[depth], scale / 2, depth + 1
        return gray, scale


def _halved(gray: Gray) -> Gray:
    high, wide = gray.shape
    even = gray[: high // 2 * 2, : wide // 2 * 2]
    return cv2.resize(even, (wide // 2, high // 2), interpolation=cv2.INTER_AREA)
