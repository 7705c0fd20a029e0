"""Strips of one row of symbols as the straightener hands them on, with their labels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training import damage
from training.glyphs import LEADING, PITCH, Ink, draw_row
from training.zones import SYMBOLS, Rng, random_text, random_zone

HIGH, WIDE = 32, 416
STRIP_PITCH = 18
STRIDE = 4
BLANK = len(SYMBOLS)
"""The class of frames between symbols and beyond the ends of the row."""

CORE, REST = 0.3, 0.37
"""Parts of a pitch to each side of a symbol's centre: its frames, and where the gap begins.

What lies between is the one as well as the other, and does not count.
"""

UNCOUNTED = -100
"""The label of frames that do not count; PyTorch's own number for them."""

SHOWN = 26

NEAR = 97
"""Pixels along the strip over which contrast is made even."""


def strip(rng: Rng) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A strip (HIGH × WIDE) and the class of each of its WIDE / STRIDE frames."""
    text = _text(rng)
    paper, left = _paper(rng, text)
    pitch = float(np.exp(rng.uniform(np.log(6.5), np.log(26))))
    scale = pitch / PITCH
    small = cv2.resize(paper, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = _damaged(rng, small, pitch)
    x, y = _grid(rng, small.shape, pitch, left * scale, len(text))
    taken = cv2.remap(small, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    centres = left * scale + (np.arange(len(text)) + 0.5) * pitch
    return normalised(taken), _labels(text, x[HIGH // 2], centres, pitch)


def normalised(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Contrast made even along the strip, as the reader does it: about 0 ± 1 everywhere."""
    size = (NEAR, HIGH * 2 - 1)
    mean = cv2.blur(picture, size, borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(picture * picture, size, borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    floor = 0.3 * float(picture.std()) + 0.01
    return np.clip((picture - mean) / (spread + floor), -4, 4).astype(np.float32)


def _text(rng: Rng) -> str:
    length = int(rng.integers(12, SHOWN + 1))
    chance = rng.random()
    if chance < 0.4:
        return random_text(rng, length)
    line = str(rng.choice(random_zone(rng)))
    if chance < 0.6:
        return line[-length:]
    start = int(rng.integers(0, max(1, len(line) - length + 1)))
    return line[start : start + length]


def _paper(rng: Rng, text: str) -> tuple[Ink, int]:
    """The row with parts of its neighbours on printed paper, and where it starts."""
    left = int(rng.integers(1, 5)) * PITCH
    high, wide = PITCH * 4, PITCH * (len(text) + 1) + left + int(rng.integers(0, 5)) * PITCH
    ink = np.zeros((high, wide), np.float32)
    for shift in (-1, 0, 1):
        if shift and rng.random() < 0.35:
            continue
        row = draw_row(rng, text if not shift else random_text(rng, len(text)))
        top = round(high / 2 - PITCH + shift * LEADING * PITCH * rng.uniform(0.94, 1.08))
        above, below = max(0, -top), min(row.shape[0], high - top)
        if below > above:
            place = ink[top + above : top + below, left : left + row.shape[1]]
            np.maximum(place, row[above:below], out=place)
    paper = rng.uniform(0.5, 1) - rng.uniform(0, 0.3) * damage.noise_field(rng, high, wide, 40)
    if rng.random() < 0.6:
        paper = paper - rng.uniform(0.02, 0.28) * damage.guilloche(rng, high, wide)
    black = rng.uniform(0, 0.3) if rng.random() < 0.7 else rng.uniform(0.2, 0.45)
    return (paper + ink * (black - paper) * rng.uniform(0.6, 1)).astype(np.float32), left


def _damaged(rng: Rng, small: Ink, pitch: float) -> Ink:
    small = damage.shade(rng, small)
    if rng.random() < 0.25:
        small = damage.glare(rng, small, pitch * rng.uniform(0.6, 5))
    if rng.random() < 0.08:
        small = damage.stain(rng, small, pitch * rng.uniform(0.3, 2.5))
    if rng.random() < 0.12:
        small = damage.overprint(rng, small, pitch)
    worst = min(0.16 * pitch, 2.6)
    sigma = float(rng.uniform(0, 1) ** 2) * worst
    motion = float(rng.uniform(1, 0.38 * pitch)) if rng.random() < 0.2 else 0
    small = damage.blur(rng, small, sigma, motion)
    if rng.random() < 0.2:
        small = damage.sharpen(small, float(rng.uniform(0.3, 1.5)))
    small = damage.grain(rng, small, float(rng.uniform(0, 1)) ** 3 * 0.08)
    if rng.random() < 0.3:
        small = damage.tone(rng, small)
    if rng.random() < 0.3:
        small = damage.resized(rng, small)
    quality = int(rng.integers(26, 97))
    return damage.jpeg(small, quality) if rng.random() < 0.8 else np.clip(small, 0, 1)


def _grid(
    rng: Rng, shape: tuple[int, int], pitch: float, left: float, symbols: int
) -> tuple[Ink, Ink]:
    """Where each pixel of the strip looks in the small picture: nearly straight, not quite."""
    step = pitch / STRIP_PITCH / float(np.exp(rng.normal(0, 0.09)))
    u = np.arange(WIDE, dtype=np.float32)
    bend = float(rng.normal(0, 0.06))
    along = step * u * (1 + bend * (u / WIDE - 0.5))
    room = max(symbols * pitch - along[-1], 0)
    start = left - rng.uniform(0.2, 3.5) * pitch
    if rng.random() < 0.5:
        start += rng.uniform(0, 1) * room + 3 * pitch
    off = rng.normal(0, 1.3) + rng.normal(0, 2) * (u / WIDE - 0.5)
    off = off + rng.normal(0, 0.8) * np.sin(u / rng.uniform(30, 150) + rng.uniform(0, 6))
    tall = step * float(np.exp(rng.normal(0, 0.08)))
    v = np.arange(HIGH, dtype=np.float32)[:, None] - (HIGH - 1) / 2
    slant = float(rng.normal(0, 0.05))
    y = shape[0] / 2 - 0.5 + tall * (v + off[None])
    x = start + along[None] + slant * tall * v
    return x.astype(np.float32), y.astype(np.float32)


def _labels(
    text: str, middle: NDArray[np.float32], centres: NDArray[np.float64], pitch: float
) -> NDArray[np.int64]:
    return labelled(text, (middle + 0.5 - centres[0]) / pitch + 0.5)


def labelled(text: str, places: NDArray[np.floating]) -> NDArray[np.int64]:
    """The class of each frame of a strip whose pixels are so many symbols behind its start."""
    frames = places.reshape(-1, STRIDE).mean(axis=1)
    nearest = np.clip(np.floor(frames).astype(int), 0, len(text) - 1)
    off = np.abs(frames - nearest - 0.5)
    classes = np.array([SYMBOLS.index(symbol) for symbol in text])[nearest]
    classes = np.where(off < CORE, classes, UNCOUNTED)
    return np.where(off > REST, BLANK, classes).astype(np.int64)
