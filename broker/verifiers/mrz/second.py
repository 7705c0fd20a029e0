"""The second opinion: tesseract, where it is installed, on the zone that our reader has found."""

from functools import cache
from typing import Final

import numpy as np
from PIL import Image

from broker.verifiers.mrz.answer import Lines
from broker.verifiers.mrz.lattice import Decoded
from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import Group
from broker.verifiers.mrz.spelling import holds, zone_in
from broker.verifiers.mrz.straighten import plain_strips
from broker.verifiers.mrz.tesseract import EngineMissing, engine_available, text_of

SECONDS: Final = 0.7
"""What a second opinion is worth waiting for."""

SURE: Final = -0.02
"""A symbol this likely (a logarithm) is not doubted because another reader saw another one."""

TALL: Final = 40
"""Pixels of a strip from above to below a row; tesseract reads larger ones worse, and slower."""


def contradicts(picture: Levels, group: Group, decoded: Decoded) -> bool:
    """Whether the other reader accepts something else, and differs where we are not sure either.

    It is shown the rows as they were found and straightened: finding them anew would take it
    seconds, and most pictures that it could read only so. False where it is not installed, or
    accepts nothing.
    """
    program = _program()
    if program is None:
        return False
    lines = decoded.lines
    other = zone_in(text_of(program, _shown(picture, group, len(lines[0])), SECONDS))
    return other is not None and holds(other) and _differs(other, decoded)


def _differs(other: Lines, decoded: Decoded) -> bool:
    """Whether lines are of another shape, or differ in a symbol that is not beyond doubt."""
    if list(map(len, other)) != list(map(len, decoded.lines)):
        return True
    return any(
        symbol != own and likely < SURE
        for row, text, told in zip(other, decoded.lines, decoded.likely, strict=True)
        for symbol, own, likely in zip(row, text, told, strict=True)
    )


def _shown(picture: Levels, group: Group, symbols: int) -> Image.Image:
    """The rows below one another on white, upright, as large as tesseract likes them."""
    rows = [
        np.pad(row, TALL // 2, mode="edge") for row in plain_strips(picture, group, symbols, TALL)
    ]
    levels = np.concatenate(rows)
    low, high = np.percentile(levels, (1, 99))
    even = np.clip((levels - low) / max(high - low, 0.05), 0, 1) * 255
    return Image.fromarray(even.astype(np.uint8))


@cache
def _program() -> str | None:
    try:
        return engine_available()
    except EngineMissing:
        return None
