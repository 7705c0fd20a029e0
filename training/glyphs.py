"""Rows of OCR-B as ink: 0 where there is none, 1 where it is black."""

from functools import cache
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.zones import Rng

FONTS = Path("/usr/share/fonts/opentype/ocr-b")
"""Debian's fonts-ocr-b: Matthew Skala's, public domain, after Norbert Schwarz's, free to use."""

CUTS = ("OCRB.otf", "OCRBS.otf", "OCRBL.otf")
PITCH = 26
"""Pixels from one symbol to the next."""

PITCH_OF_EM = 0.723
LEADING = 2.5
"""From one row to the next, in pitches: 6.35 mm to 2.54 mm (9303-3 §4.2)."""

Ink: TypeAlias = NDArray[np.float32]


@cache
def _glyph(cut: str, symbol: str) -> Ink:
    """One symbol at twice PITCH, its cell's height twice its width, capitals centred."""
    font = ImageFont.truetype(str(FONTS / cut), PITCH * 2 / PITCH_OF_EM)
    cell = Image.new("L", (PITCH * 2, PITCH * 4), 0)
    top, bottom = font.getbbox("H")[1::2]
    ImageDraw.Draw(cell).text((0, PITCH * 2 - (top + bottom) / 2), symbol, font=font, fill=255)
    return np.asarray(cell, np.float32) / 255


def draw_row(rng: Rng, text: str) -> Ink:
    """`text` in one randomly chosen cut, weight, width and evenness of ink.

    The picture is 2 × PITCH high and PITCH a symbol wide; symbol i is centred at (i + ½) PITCH.
    """
    cut = str(rng.choice(CUTS, p=(0.6, 0.32, 0.08)))
    row = np.concatenate([_glyph(cut, symbol) for symbol in text], axis=1)
    weight = int(rng.choice((-3, -2, 0, 0, 2, 3, 4)))
    if weight:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(weight), abs(weight)))
        row = cv2.dilate(row, kernel) if weight > 0 else cv2.erode(row, kernel)
    stretched = _stretched(row, float(rng.uniform(0.84, 1.14)))
    row = cv2.resize(stretched, (len(text) * PITCH, PITCH * 2), interpolation=cv2.INTER_AREA)
    return row * _wear(rng, len(text)) if rng.random() < 0.3 else row


def _stretched(row: Ink, tall: float) -> Ink:
    """The row with its symbols `tall` times as high, still centred."""
    high = row.shape[0]
    grid = np.array([[1, 0, 0], [0, tall, high * (1 - tall) / 2]], np.float32)
    return cv2.warpAffine(row, grid, (row.shape[1], high))


def _wear(rng: Rng, symbols: int) -> Ink:
    """Ink that is fainter here and there."""
    coarse = rng.uniform(0.45, 1, (2, max(2, symbols))).astype(np.float32)
    return cv2.resize(coarse, (symbols * PITCH, PITCH * 2), interpolation=cv2.INTER_LINEAR)
