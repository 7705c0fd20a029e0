"""Invented documents as flat pages: print, photograph, notes, and the zone in its place."""

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training import damage
from training.damage import Gray
from training.glyphs import LEADING, PITCH, draw_row
from training.zones import LETTERS, SYMBOLS, Lines, Rng, random_text

MILLIMETRE = PITCH / 2.54
_SIZES = {44: (125, 88), 36: (105, 74), 30: (86, 54)}
"""Millimetres of the document by the symbols of its rows (9303-3 §3)."""

_FONTS = (
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSans-Bold.ttf",
    "dejavu/DejaVuSerif.ttf",
    "dejavu/DejaVuSansMono.ttf",
)
DARK, PALE = 0.3, 0.12
"""How much darker than its paper the pattern of a page may be."""

LARGEST = 38
"""Pixels of the largest words."""

Points: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of gray levels; `rows` are the ends of each row of its zone, in reading order."""

    gray: Gray
    rows: tuple[Points, ...]
    lines: Lines = ()


def draw_page(rng: Rng, lines: Lines | None, *, tidy: bool = False) -> Page:
    """A document with the zone `lines`, or with none; a passport's upper page may be there too.

    Of a `tidy` one nothing else reaches into the zone, and the pattern of its paper is pale.
    """
    width = len(lines[0]) if lines else int(rng.choice(list(_SIZES)))
    wide, high = (round(side * MILLIMETRE) for side in _SIZES[width])
    gray = _paper(rng, high, wide, PALE if tidy else DARK)
    free = int(high * 0.87 - LEADING * PITCH * len(lines or ())) if tidy else high
    _write(rng, gray, int(high * 0.04), min(int(high * 0.68), free - LARGEST))
    if rng.random() < 0.8:
        _portrait(rng, gray, free)
    rows = _zone(rng, gray, lines) if lines else ()
    if rng.random() < 0.2:
        _hologram(rng, gray)
    if rng.random() < (0.3 if width != 30 else 0.1):
        upper = _paper(rng, high, wide, DARK)
        _write(rng, upper, int(high * 0.1), int(high * 0.9))
        gray = np.concatenate((upper, gray))
        rows = tuple(row + np.float32((0, high)) for row in rows)
    return Page(np.clip(gray, 0, 1), rows, lines or ())


def _paper(rng: Rng, high: int, wide: int, dark: float) -> Gray:
    paper = rng.uniform(0.6, 1) - rng.uniform(0, 0.2) * damage.noise_field(rng, high, wide, 250)
    if rng.random() < 0.7:
        waves = damage.guilloche(rng, high // 3, wide // 3)
        waves = cv2.resize(waves, (wide, high), interpolation=cv2.INTER_LINEAR)
        paper = paper - rng.uniform(0.02, dark) * waves
    return paper.astype(np.float32)


def _zone(rng: Rng, gray: Gray, lines: Lines) -> tuple[Points, ...]:
    high, wide = gray.shape
    leading = LEADING * PITCH * rng.uniform(0.94, 1.06)
    length = len(lines[0]) * PITCH
    left = (wide - length) * rng.uniform(0.25, 0.75)
    last = high - rng.uniform(0.05, 0.11) * high - PITCH / 2
    black = rng.uniform(0, 0.3)
    rows = []
    if rng.random() < 0.4:
        gray[int(last - leading * (len(lines) - 0.3)) :] += rng.uniform(0, 0.2)
    for i, line in enumerate(lines):
        middle = last - leading * (len(lines) - 1 - i)
        ink = draw_row(rng, line)
        top, start = round(middle - PITCH), round(left)
        place = gray[top : top + 2 * PITCH, start : start + length]
        place += ink[: place.shape[0]] * (black - place)
        ends = ((start, top + PITCH), (start + length, top + PITCH))
        rows.append(np.array(ends, np.float32))
    return tuple(rows)


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(f"/usr/share/fonts/truetype/{name}", size)


def _write(rng: Rng, gray: Gray, top: int, bottom: int) -> None:
    """Words and numbers in any font, some in OCR-B, between two heights."""
    ink = Image.new("L", gray.shape[::-1], 0)
    draw = ImageDraw.Draw(ink)
    y, left = float(top), int(gray.shape[1] * rng.uniform(0.03, 0.45))
    while y < bottom:
        size = int(rng.choice((14, 18, 24, 30, LARGEST)))
        font = _font(_FONTS[int(rng.integers(0, len(_FONTS)))], size)
        words = [_word(rng) for _ in range(int(rng.integers(1, 5)))]
        draw.text((left + int(rng.integers(0, 200)), y), " ".join(words), font=font, fill=255)
        y += size * rng.uniform(1.1, 2.2)
    dark = np.asarray(ink, np.float32) / 255
    gray += dark * (rng.uniform(0, 0.45) - gray)
    for _ in range(int(rng.integers(0, 3))):
        row = draw_row(rng, random_text(rng, int(rng.integers(6, 16)), SYMBOLS[:-1]))
        y = int(rng.uniform(top, max(top + 1, bottom - 2 * PITCH)))
        x = int(rng.uniform(0, max(1, gray.shape[1] - row.shape[1])))
        place = gray[y : y + row.shape[0], x : x + row.shape[1]]
        place += row[: place.shape[0], : place.shape[1]] * (0.15 - place)


def _word(rng: Rng) -> str:
    word = random_text(
        rng, int(rng.integers(2, 10)), SYMBOLS[:-1] if rng.random() < 0.4 else LETTERS
    )
    return word.lower().capitalize() if rng.random() < 0.5 else word


def _portrait(rng: Rng, gray: Gray, bottom: int) -> None:
    high, wide = gray.shape
    x, y = int(wide * rng.uniform(0.02, 0.7)), int(high * rng.uniform(0.08, 0.25))
    w, h = int(wide * rng.uniform(0.18, 0.28)), int(high * rng.uniform(0.35, 0.48))
    place = gray[y : min(y + h, bottom), x : x + w]
    place[:] = damage.noise_field(rng, *place.shape, grain=60)
    centre = (place.shape[1] // 2, place.shape[0] // 2)
    axes = (place.shape[1] // 4, place.shape[0] // 3)
    cv2.ellipse(place, centre, axes, 0, 0, 360, float(rng.uniform(0.2, 0.9)), -1)


def _hologram(rng: Rng, gray: Gray) -> None:
    high, wide = gray.shape
    field = damage.noise_field(rng, high // 8, wide // 8, 4)
    field = cv2.resize(field, (wide, high), interpolation=cv2.INTER_LINEAR)
    mark = np.zeros_like(gray)
    centre = int(rng.uniform(0, wide)), int(rng.uniform(0.3 * high, high))
    radius = int(rng.uniform(0.1, 0.35) * high)
    cv2.circle(mark, centre, radius, 1, int(rng.choice((-1, 6, 14))), cv2.LINE_AA)
    gray += mark * (field - 0.5) * rng.uniform(0.1, 0.6)
