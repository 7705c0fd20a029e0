"""Photographs drawings as a phone would: a desk, a slant, uneven light, a little blur, noise."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Laid:
    """A drawing on the desk: where its four corners fall in the picture, clockwise."""

    drawing: Image.Image
    corners: Quad


def photograph(
    laid: tuple[Laid, ...], seed: int, size: tuple[int, int] = (2000, 1500), blur: float = 0.8
) -> Image.Image:
    """The picture of these things on a wooden desk; the same for the same seed."""
    chance = np.random.default_rng(seed)
    picture = _clutter(_desk(size, chance)).convert("RGBA")
    for thing in laid:
        seen = _seen(thing, size)
        picture.alpha_composite(_shadow(seen))
        picture.alpha_composite(seen)
    pixels = np.asarray(picture.convert("RGB")).astype("float32") * _light(size)
    sharp = Image.fromarray(pixels.clip(0, 255).astype("uint8"))
    soft = np.asarray(sharp.filter(ImageFilter.GaussianBlur(blur))).astype("float32")
    noisy = soft + chance.normal(0, 3.0, (*soft.shape[:2], 1)) + chance.normal(0, 1, soft.shape)
    return Image.fromarray(noisy.clip(0, 255).astype("uint8"))


def _seen(thing: Laid, size: tuple[int, int]) -> Image.Image:
    """The drawing in perspective, on a transparent picture."""
    w, h = thing.drawing.size
    # Reduced first: a phone's lens averages what falls into one pixel.
    wide = max(x for x, _ in thing.corners) - min(x for x, _ in thing.corners)
    scale = min(1.0, 1.35 * wide / w)
    small = thing.drawing.resize((round(w * scale), round(h * scale)), Image.Resampling.LANCZOS)
    w, h = small.size
    rows, right = [], []
    for (x, y), (u, v) in zip(thing.corners, ((0, 0), (w, 0), (w, h), (0, h)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    coefficients = np.linalg.solve(np.array(rows, "float64"), np.array(right, "float64"))
    return small.transform(
        size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BICUBIC
    )


def _shadow(seen: Image.Image) -> Image.Image:
    alpha = seen.getchannel("A").filter(ImageFilter.GaussianBlur(16)).point(lambda a: a * 0.55)
    cast = Image.new("RGBA", seen.size, (16, 10, 6, 0))
    cast.paste((16, 10, 6), (14, 20), Image.new("L", seen.size, 255))
    moved = Image.new("L", seen.size, 0)
    moved.paste(alpha, (14, 20))
    cast.putalpha(moved)
    return cast


def _desk(size: tuple[int, int], chance: np.random.Generator) -> Image.Image:
    """Oak: long streaks along the boards."""
    _, height = size
    grain = chance.normal(0, 1, (height, 24))
    fine = Image.fromarray(grain.astype("float32")).resize(size, Image.Resampling.BICUBIC)
    broad = chance.normal(0, 1, (height // 16, 5)).astype("float32")
    rings = Image.fromarray(broad).resize(size, Image.Resampling.BICUBIC)
    tone = 6 * np.asarray(fine) + 9 * np.asarray(rings)
    board = (np.arange(height) // (height / 3.2)).astype(int)
    tone += np.array([4, -6, 3, -2, 5])[board][:, None]
    wood = np.array([148, 112, 80])[None, None, :] + tone[..., None] * np.array([1, 0.9, 0.75])
    for seam in range(1, 4):
        y = round(seam * height / 3.2)
        wood[y : y + 3] *= 0.62
    return Image.fromarray(wood.clip(0, 255).astype("uint8"))


def _clutter(desk: Image.Image) -> Image.Image:
    """The corner of a notebook and a pen, so that the picture is not only a document."""
    w, h = desk.size
    draw = ImageDraw.Draw(desk)
    draw.polygon([(w * 0.8, 0), (w, 0), (w, h * 0.17)], fill=(58, 74, 70))
    draw.polygon([(w * 0.815, 0), (w, 0), (w, h * 0.155)], fill=(232, 228, 216))
    draw.line((w * 0.02, h * 0.16, w * 0.3, h * 0.03), fill=(30, 34, 44), width=24)
    draw.line((w * 0.02, h * 0.16, w * 0.05, h * 0.146), fill=(190, 178, 140), width=18)
    return desk.filter(ImageFilter.GaussianBlur(1.4))


def _light(size: tuple[int, int]) -> np.ndarray:
    """A window to the upper left, warm, and the falling off of a small lens."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    u, v = x / size[0], y / size[1]
    window = 1.10 - 0.26 * u - 0.10 * v
    vignette = 1 - 0.22 * ((u - 0.5) ** 2 + (v - 0.5) ** 2) * 2
    tone = (window * vignette)[..., None]
    light: np.ndarray = (tone * np.array([1.02, 1.0, 0.95])).astype("float32")
    return light
