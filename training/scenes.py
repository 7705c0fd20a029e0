"""Documents on a table: photographed in three tiers of care, with the truth of their zones."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from training import damage
from training.damage import Gray
from training.glyphs import PITCH
from training.pages import Page, Points, draw_page
from training.zones import Lines, Rng, random_text, random_zone

FINDING_SIDE = 640
"""Pixels of the longer side of the picture in which rows are looked for."""

CROP = 256
POOL = 64
NEAR_ZONE = 0.8
"""The share of pieces that are taken where rows are."""

FINDING_PITCH = 3, 19
"""Pixels from symbol to symbol in the picture in which rows are looked for."""

_ROW_POINTS = 17


@dataclass(frozen=True, slots=True)
class Tier:
    """How careful a photographer was: ranges of which one value each is drawn.

    `tilt` is in degrees, `blur` and `moved` are in pitches; `quarters` are turned by 90, 180 or 270
    and some more, `anyhow` lie as they fell, `motion` were moved: shares of the pictures.
    """

    tilt: tuple[float, float]
    quarters: float
    anyhow: float
    pitch: tuple[float, float]
    perspective: float
    curl: float
    blur: tuple[float, float]
    motion: float
    noise: float
    quality: tuple[int, int]
    glare: float
    moved: tuple[float, float] = (0.1, 0.35)


TIERS = {
    "clean": Tier((-3, 3), 0.05, 0, (16, 30), 0.01, 0, (0, 0.05), 0, 0.01, (65, 95), 0.05),
    "decent": Tier((-15, 15), 0.25, 0.2, (11, 28), 0.05, 0.3, (0, 0.1), 0.1, 0.03, (55, 90), 0.3),
    "bad": Tier((-25, 25), 0.25, 0.5, (8, 20), 0.12, 0.6, (0.02, 0.17), 0.3, 0.06, (38, 80), 0.5),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture; `rows` run along the middle of each row of the zone, `pitch` is of the page."""

    gray: Gray
    rows: tuple[Points, ...]
    lines: Lines
    pitch: float


def draw_scene(  # noqa: PLR0913  what is photographed, and how
    rng: Rng, tier: Tier, pitch: float, longest: int, page: Page, window: int | None = None
) -> Scene:
    """`page` photographed as `tier` says, its symbols about `pitch` pixels apart.

    With `window`, only a square of so many pixels of it, mostly of where the zone is.
    """
    page = _scaled(page, pitch / PITCH)
    if rng.random() < tier.curl:
        page = _curled(rng, page)
    small, rows = page.gray, page.rows
    to_scene, size = _placed(rng, tier, small.shape, longest)
    if window:
        seen = tuple(cv2.perspectiveTransform(row[None], to_scene)[0] for row in rows)
        to_scene, size = _windowed(rng, to_scene, size, seen, window)
    table = background(rng, size[1], size[0])
    mask = cv2.warpPerspective(np.ones_like(small), to_scene, size, flags=cv2.INTER_LINEAR)
    laid = cv2.warpPerspective(small, to_scene, size, flags=cv2.INTER_LINEAR)
    gray = table + (laid - table * mask)
    rows = tuple(cv2.perspectiveTransform(row[None], to_scene)[0] for row in rows)
    return Scene(_taken(rng, tier, gray, pitch, rows), rows, page.lines, pitch)


def _scaled(page: Page, scale: float) -> Page:
    gray = cv2.resize(page.gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rows = tuple(_between(row) * np.float32(scale) for row in page.rows)
    return Page(gray, rows, page.lines)


def _windowed(
    rng: Rng,
    to_scene: NDArray[np.float64],
    size: tuple[int, int],
    rows: tuple[Points, ...],
    window: int,
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The transform and size of a piece of the picture: what nobody looks at is not drawn."""
    spot = _middle(rng, rows) if rng.random() < NEAR_ZONE else None
    middle = spot or rng.uniform(0, 1, 2) * size
    corner = np.clip(middle - rng.uniform(0, window, 2), 0, np.maximum(0, np.array(size) - window))
    moved = np.array(((1, 0, -corner[0]), (0, 1, -corner[1]), (0, 0, 1)))
    return moved @ to_scene, (min(size[0], window), min(size[1], window))


def _between(row: Points) -> Points:
    """Points along a row: of two ends, many; a curled row has them already."""
    if len(row) > 2:
        return row
    part = np.linspace(0, 1, _ROW_POINTS, dtype=np.float32)[:, None]
    return row[0] + part * (row[1] - row[0])


def _curled(rng: Rng, page: Page) -> Page:
    """The page bent along its width, as books bend near their back."""
    high, wide = page.gray.shape
    amount = float(rng.uniform(-0.035, 0.035)) * wide
    phase, waves = float(rng.uniform(0, np.pi)), float(rng.uniform(0.5, 1.2))

    def rise(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return (amount * np.sin(phase + x / wide * np.pi * waves)).astype(np.float32)

    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    gray = cv2.remap(page.gray, x, y - rise(x), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rows = []
    for row in page.rows:
        points = _between(row).copy()
        points[:, 1] += rise(points[:, 0])
        rows.append(points)
    return Page(gray, tuple(rows), page.lines)


def _placed(
    rng: Rng, tier: Tier, shape: tuple[int, int], longest: int
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The transform from the page to the picture, and the picture's (width, height)."""
    high, wide = shape
    turn = rng.uniform(*tier.tilt)
    chance = rng.random()
    if chance < tier.quarters:
        turn = rng.choice((0, 90, 180, 270)) + rng.uniform(-12, 12)
    elif chance < tier.quarters + tier.anyhow:
        turn = rng.uniform(-180, 180)
    corners = np.float32(((0, 0), (wide, 0), (wide, high), (0, high)))
    angle = np.deg2rad(turn)
    spin = np.float32(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    shaken = rng.uniform(-1, 1, (4, 2)) * tier.perspective * np.hypot(high, wide)
    moved = ((corners - (wide / 2, high / 2)) @ spin + shaken).astype(np.float32)
    low, extent = moved.min(0), np.ptp(moved, axis=0)
    room = extent * rng.uniform(0.02, 1.1, 2)
    size = np.minimum(extent + room, longest)
    offset = -low + (size - extent) * rng.uniform(0, 1, 2)
    placed = (moved + offset).astype(np.float32)
    to_scene = cv2.getPerspectiveTransform(corners, placed)
    return to_scene, (int(size[0]), int(size[1]))


def background(rng: Rng, high: int, wide: int) -> Gray:
    """A table, a cloth, a keyboard, a printed page."""
    gray = rng.uniform(0, 1) + rng.uniform(0, 0.3) * (
        damage.noise_field(rng, high, wide, 300) - 0.5
    )
    kind = rng.integers(0, 6)
    if kind == 1:
        stretched = damage.noise_field(rng, max(4, high // 12), wide, 6)
        stretched = cv2.resize(stretched, (wide, high))
        gray = gray + rng.uniform(0.1, 0.5) * (stretched - 0.5)
    elif kind == 2:
        step = int(rng.integers(8, 80))
        y, x = np.mgrid[0:high, 0:wide]
        squares = ((x // step + y // step) % 2).astype(np.float32)
        lines = ((x % step < 2) | (y % step < 2)).astype(np.float32)
        gray = gray + rng.uniform(-0.4, 0.4) * (squares if rng.random() < 0.5 else lines)
    elif kind == 3:
        gray = _lettered(rng, high, wide)
    elif kind == 4:
        gray = gray + rng.uniform(0.1, 0.5) * (damage.noise_field(rng, high, wide, 3) - 0.5)
    return np.clip(gray, 0, 1).astype(np.float32)


def _lettered(rng: Rng, high: int, wide: int) -> Gray:
    paper, ink = rng.uniform(0, 1, 2)
    gray = np.full((high, wide), round(paper * 255), np.uint8)
    size = float(rng.uniform(0.3, 1.4))
    step, spread = int(30 * size) + 2, int(rng.choice((1, 1, 4)))
    for y in range(step, high, step):
        text = random_text(rng, int(wide / (16 * size)) + 2)
        text = (" " * (spread - 1)).join(text)
        cv2.putText(
            gray, text, (0, y), int(rng.choice((0, 2))), size, round(ink * 255), 1 + (size > 1)
        )
    return gray.astype(np.float32) / 255


def _taken(rng: Rng, tier: Tier, gray: Gray, pitch: float, rows: tuple[Points, ...]) -> Gray:
    """What the camera makes of the scene."""
    gray = damage.shade(rng, gray)
    if rng.random() < tier.glare:
        at = _middle(rng, rows) if rng.random() < 0.6 else None
        gray = damage.glare(rng, gray, pitch * rng.uniform(1, 8), at)
    gray = gray * rng.uniform(0.55, 1) + rng.uniform(0, 0.2)
    motion = rng.uniform(*tier.moved) if rng.random() < tier.motion else 0
    gray = damage.blur(rng, gray, float(rng.uniform(*tier.blur)) * pitch, motion * pitch)
    if rng.random() < 0.2:
        gray = damage.sharpen(gray, float(rng.uniform(0.3, 1.2)))
    gray = damage.grain(rng, gray, float(rng.uniform(0, tier.noise)))
    return damage.jpeg(gray, int(rng.integers(*tier.quality)))


def _middle(rng: Rng, rows: tuple[Points, ...]) -> tuple[float, float] | None:
    if not rows:
        return None
    row = rows[int(rng.integers(0, len(rows)))]
    x, y = row[int(rng.integers(0, len(row)))]
    return float(x), float(y)


def random_scene(rng: Rng, tier: str, longest: int = 1700) -> Scene:
    """A picture of an invented document in `tier`, as large as its symbols ask."""
    care = TIERS[tier]
    pitch = float(np.exp(rng.uniform(*np.log(care.pitch))))
    return draw_scene(rng, care, pitch, longest, draw_page(rng, random_zone(rng)))


class Crops:
    """Samples for the finder of rows; a page is shown some seven times, each time differently."""

    def __init__(self) -> None:
        self._pages: list[Page] = []

    def __call__(self, rng: Rng) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A piece of a small picture, and its target maps (see `targets`)."""
        at = int(rng.integers(0, POOL))
        if at >= len(self._pages) or rng.random() < 0.15:
            page = draw_page(rng, random_zone(rng) if rng.random() < 0.92 else None)
            self._pages[at : at + 1] = [page]
            at = min(at, len(self._pages) - 1)
        return _crop(rng, self._pages[at])


def _crop(rng: Rng, page: Page) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    care = TIERS[str(rng.choice(list(TIERS), p=(0.1, 0.4, 0.5)))]
    pitch = float(np.exp(rng.uniform(*np.log(FINDING_PITCH))))
    longest = round(FINDING_SIDE * max(1, pitch / 12))
    scene = draw_scene(rng, care, pitch, longest, page, CROP)
    # The whole picture may be darker or brighter than the piece, and of more contrast.
    gray = evened(scene.gray) * np.float32(np.exp(rng.normal(-0.1, 0.3)))
    gray += np.float32(rng.normal(0, 0.4))
    piece = np.zeros((CROP, CROP), np.float32)
    piece[: gray.shape[0], : gray.shape[1]] = gray
    return piece, targets(scene.rows, pitch, CROP)


def evened(gray: Gray) -> Gray:
    """The picture with mean 0 and deviation 1, as the reader does it."""
    return (gray - gray.mean()) / (gray.std() + np.float32(0.02))


def targets(rows: tuple[Points, ...], pitch: float, side: int) -> NDArray[np.float32]:
    """Maps (4, side / 2, side / 2): row or not, cosine, sine, and how much each pixel counts."""
    maps = np.zeros((4, side // 2, side // 2), np.float32)
    maps[3] = 1
    for thick, plane in ((1.1, 3), (0.5, 0)):
        width = max(1, round(thick * pitch / 2))
        for row in rows:
            points = np.round(row * 8).astype(np.int32)  # in half pixels, with 4 bits of fraction
            value = 0.3 if plane else 1
            cv2.polylines(maps[plane], [points], False, value, width, cv2.LINE_8, shift=4)
    for row in rows:
        _directed(maps, row, max(1, round(0.5 * pitch / 2)) + 2)
    maps[3][maps[0] > 0] = 1
    return maps


def _directed(maps: NDArray[np.float32], row: Points, width: int) -> None:
    for here, there in pairwise(row):
        along = (there - here) / (np.hypot(*(there - here)) + 1e-6)
        ends = [tuple(int(v) for v in np.round(p * 8)) for p in (here, there)]
        for plane, value in ((1, along[0]), (2, along[1])):
            cv2.line(maps[plane], ends[0], ends[1], float(value), width, cv2.LINE_8, shift=4)
