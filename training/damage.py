"""What light, lenses and files do to a picture: gray levels as float32, 0 black to 1 white."""

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from training.zones import LETTERS, Rng

Gray: TypeAlias = NDArray[np.float32]

_CAPITALS = 22
"""Pixels that OpenCV's letters are high at a scale of one."""


def noise_field(rng: Rng, high: int, wide: int, grain: float) -> Gray:
    """Smooth chance between 0 and 1, its grains about `grain` pixels."""
    rows, columns = max(2, int(high / grain)), max(2, int(wide / grain))
    coarse = rng.random((rows, columns), np.float32)
    return cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC)


def guilloche(rng: Rng, high: int, wide: int) -> Gray:
    """Fine waves as printed under the text of documents, between 0 and 1."""
    x = np.arange(wide, dtype=np.float32)
    y = np.arange(high, dtype=np.float32)[:, None]
    total = np.zeros((high, wide), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        angle, period = float(rng.uniform(0, np.pi)), float(rng.uniform(4, 40))
        turn = 2 * math.pi / period
        bend = rng.uniform(0, 8) * np.sin(x / rng.uniform(15, 120) + rng.uniform(0, 6))
        across = (x * math.cos(angle) + bend) * turn
        total += np.sin(across + y * (math.sin(angle) * turn))
    return np.clip(0.5 + total / 3, 0, 1) ** float(rng.uniform(1, 4))


def shade(rng: Rng, picture: Gray) -> Gray:
    """Uneven light, and sometimes the edge of a shadow."""
    high, wide = picture.shape
    slope = rng.uniform(-0.3, 0.3, 2)
    x = np.linspace(-1, 1, wide, dtype=np.float32)[None]
    y = np.linspace(-1, 1, high, dtype=np.float32)[:, None]
    lit = picture * np.float32(1) * (1 + slope[0] * x + slope[1] * y).astype(np.float32)
    if rng.random() < 0.35:
        angle = rng.uniform(0, 2 * np.pi)
        edge = x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.7, 0.7)
        soft = rng.uniform(0.01, 0.3)
        lit = lit * (1 - rng.uniform(0.2, 0.65) / (1 + np.exp(-np.clip(edge / soft, -30, 30))))
    return lit.astype(np.float32)


def glare(rng: Rng, picture: Gray, size: float, at: tuple[float, float] | None = None) -> Gray:
    """One bright spot or streak of about `size` pixels laid over the picture, `at` or anywhere."""
    high, wide = picture.shape
    centre = at or (rng.uniform(0, wide), rng.uniform(0, high))
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    along = (x - centre[0]) * np.cos(angle) + (y - centre[1]) * np.sin(angle)
    across = (y - centre[1]) * np.cos(angle) - (x - centre[0]) * np.sin(angle)
    long, short = size * rng.uniform(0.5, 4), size * rng.uniform(0.2, 0.8)
    far = (along / long) ** 2 + (across / short) ** 2
    light = rng.uniform(0.2, 1.1) * np.exp(-(far.astype(np.float32) ** rng.uniform(0.7, 2)))
    return (picture + light * (1.05 - picture)).astype(np.float32)


def stain(rng: Rng, picture: Gray, size: float) -> Gray:
    """One opaque thing, dark or light, laid over the picture: a finger, a hair, a label."""
    painted = picture.copy()
    high, wide = picture.shape
    centre = int(rng.uniform(0, wide)), int(rng.uniform(0, high))
    axes = int(size * rng.uniform(0.2, 1.2)) + 1, int(size * rng.uniform(0.05, 0.6)) + 1
    level = float(rng.uniform(0, 1))
    cv2.ellipse(painted, centre, axes, float(rng.uniform(0, 180)), 0, 360, level, -1, cv2.LINE_AA)
    return painted


def blur(rng: Rng, picture: Gray, sigma: float, motion: float) -> Gray:
    """Out of focus by `sigma`, and moved by `motion` pixels, in any direction."""
    if sigma > 0.15:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    if motion >= 1.5:
        size = int(motion) | 1
        kernel = np.zeros((size, size), np.float32)
        angle, middle = rng.uniform(0, np.pi), size // 2
        dx, dy = middle * np.cos(angle), middle * np.sin(angle)
        ends = [(round(middle + s * dx), round(middle + s * dy)) for s in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1, 1, cv2.LINE_AA)
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum())
    return picture


def grain(rng: Rng, picture: Gray, amount: float) -> Gray:
    """The sensor's noise, of standard deviation `amount`."""
    return picture + rng.standard_normal(picture.shape, np.float32) * np.float32(amount)


def jpeg(picture: Gray, quality: int) -> Gray:
    """The picture after a JPEG file of `quality`."""
    levels = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    _, file = cv2.imencode(".jpg", levels, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return cv2.imdecode(file, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


def sharpen(picture: Gray, amount: float) -> Gray:
    """What telephones do to make a picture look crisp."""
    return picture + amount * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))


def tone(rng: Rng, picture: Gray) -> Gray:
    """Brightness and contrast as programs change them: curves, and whites and blacks cut off."""
    curved = np.clip(picture, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.4:
        low, high = rng.uniform(0, 0.2), rng.uniform(0.65, 1)
        curved = np.clip((curved - low) / (high - low), 0, 1)
    return curved.astype(np.float32)


def resized(rng: Rng, picture: Gray) -> Gray:
    """Saved smaller or larger than it is, and brought back: what was published was resized."""
    high, wide = picture.shape
    times = float(np.exp(rng.uniform(np.log(0.55), np.log(1.5))))
    size = max(8, round(wide * times)), max(8, round(high * times))
    way = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_NEAREST)))
    other = cv2.resize(picture, size, interpolation=way)
    if rng.random() < 0.5:
        other = jpeg(other, int(rng.integers(40, 95)))
    return cv2.resize(other, (wide, high), interpolation=cv2.INTER_CUBIC)


def overprint(rng: Rng, picture: Gray, size: float) -> Gray:
    """A few strokes across the print: a stamp, a thread, the letters of SPECIMEN, a crease."""
    high, wide = picture.shape
    mark = np.zeros((high, wide), np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(0, wide), rng.uniform(0, high)
        angle, long = rng.uniform(0, np.pi), size * rng.uniform(1, 12)
        dx, dy = np.cos(angle) * long, np.sin(angle) * long
        ends = [(int(x + s * dx), int(y + s * dy)) for s in (-1, 1)]
        cv2.line(mark, ends[0], ends[1], 255, max(1, int(size * rng.uniform(0.05, 0.9))), 16)
    cover = mark.astype(np.float32) / 255 * np.float32(rng.uniform(0.08, 0.55))
    return picture + cover * (np.float32(rng.uniform(0, 1)) - picture)


def stamped(rng: Rng, picture: Gray, size: float) -> Gray:
    """A word in large letters across the print, as SPECIMEN is, or what a stamp says."""
    high, wide = picture.shape
    mark = np.zeros((high, wide), np.uint8)
    times = size * float(rng.uniform(1.2, 5)) / _CAPITALS
    word = "".join(rng.choice(list(LETTERS), int(rng.integers(4, 11))))
    start = int(rng.uniform(-0.1, 0.7) * wide), int(rng.uniform(0.2, 1.1) * high)
    thick = max(1, round(times * float(rng.uniform(2, 7))))
    font = int(rng.choice((cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX)))
    cv2.putText(mark, word, start, font, times, 255, thick, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D(start, float(rng.uniform(-45, 45)), 1)
    mark = cv2.warpAffine(mark, turn, (wide, high))
    cover = mark.astype(np.float32) / 255 * np.float32(rng.uniform(0.08, 0.6))
    return picture + cover * (np.float32(rng.uniform(0, 0.7)) - picture)
