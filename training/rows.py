"""Rows of whole photographs, straightened as the reader straightens them, with their labels."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import POINTS, Group, Row
from broker.verifiers.mrz.straighten import MARGIN, centred, reach, row_length, straighten
from training import damage
from training.glyphs import PITCH
from training.pages import Page, Points, draw_page
from training.scenes import TIERS, Scene, Tier, draw_scene
from training.strips import BLANK, STRIDE, STRIP_PITCH, UNCOUNTED, WIDE, labelled, strip
from training.zones import SYMBOLS, Lines, Rng, random_text, random_zone

FILLER = SYMBOLS.index("<")
Sample = tuple[NDArray[np.float32], NDArray[np.int64]]

WORN = Tier((-25, 25), 0.2, 0.4, (7.5, 22), 0.12, 0.45, (0.01, 0.15), 0.3, 0.06, (25, 85), 0.35)
"""What is read with doubt: small or blurred, in files of little quality."""

CARE = (WORN, TIERS["bad"], TIERS["decent"])
SHARES = (0.6, 0.15, 0.25)
LONGEST = 1500
LOOKS = 4
"""Ways in which each row of a picture is shown."""

STRAYS = 0.35
"""Pitches by which a strip may miss its row: what strays farther is not the row."""

POOL = 600
FRESH_ROW, FRESH_STRIP = 0.16, 0.4
"""Shares of samples that were not shown before: what is dear to draw is shown some times."""

ROWS = 0.6
"""The share of samples that come of whole pictures."""

OVERPRINTED = 0.25
"""The share of pictures with strokes or a word across the zone."""

ANYTHING = 0.35
"""The share of pictures with symbols by chance instead of a zone."""

EMPTY, TRIES = 0.6, 3
"""The share of fillers above which another piece of a row is taken, so many times at most."""

EDGE = 5
"""Frames at a cut through a row that do not count: the reader sees what lies beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A whole row as the reader shows it: `places` are symbols from its start, of each pixel."""

    shown: NDArray[np.float32]
    places: NDArray[np.floating]
    text: str


class Mixed:
    """Samples for the network that looks closely: rows of pictures, and drawn strips."""

    def __init__(self) -> None:
        self._rows: list[Strip] = []
        self._drawn: list[Sample] = []

    def __call__(self, rng: Rng) -> Sample:
        """A strip (HIGH, WIDE) and the class of each of its frames."""
        if rng.random() < ROWS:
            if len(self._rows) < POOL or rng.random() < FRESH_ROW / LOOKS:
                self._rows = [*self._rows, *rows(rng)][-POOL:]
            shown, classes = window(rng, self._rows[int(rng.integers(0, len(self._rows)))])
        else:
            if len(self._drawn) < POOL or rng.random() < FRESH_STRIP:
                self._drawn = [*self._drawn, strip(rng)][-POOL:]
            shown, classes = self._drawn[int(rng.integers(0, len(self._drawn)))]
        return varied(rng, shown), classes


def varied(rng: Rng, shown: NDArray[np.float32]) -> NDArray[np.float32]:
    """A little noise and another contrast: what is shown again is not the same."""
    noise = np.float32(rng.uniform(0, 0.15)) * rng.standard_normal(shown.shape, np.float32)
    return np.clip(shown * np.float32(rng.uniform(0.9, 1.1)) + noise, -4, 4)


def window(rng: Rng, row: Strip) -> Sample:
    """A piece of a row as wide as all samples."""
    wide = row.shown.shape[1]
    for _ in range(TRIES):
        start = int(rng.integers(0, wide - WIDE + 1))
        classes = labelled(row.text, row.places[start : start + WIDE])
        if (classes == FILLER).sum() < EMPTY * ((classes != BLANK) & (classes != UNCOUNTED)).sum():
            break
    if start > STRIDE:
        classes[:EDGE] = UNCOUNTED
    if start + WIDE < wide - STRIDE:
        classes[-EDGE:] = UNCOUNTED
    return row.shown[:, start : start + WIDE], classes


def rows(rng: Rng) -> list[Strip]:
    """The rows of one fresh picture, each in LOOKS ways; those that the straightener missed not."""
    care = CARE[int(rng.choice(len(CARE), p=SHARES))]
    pitch = float(np.exp(rng.uniform(*np.log(care.pitch))))
    page = draw_page(rng, _lines(rng))
    if rng.random() < OVERPRINTED:
        page = _overprinted(rng, page)
    scene = draw_scene(rng, care, pitch, LONGEST, page)
    gray = damage.tone(rng, scene.gray) if rng.random() < 0.25 else scene.gray
    picture = Levels((np.clip(gray, 0, 1) * 255).astype(np.uint8))
    group = _found(rng, picture, scene)
    return [strip for _ in range(LOOKS) for strip in _look(rng, picture, group, scene)]


def _lines(rng: Rng) -> Lines:
    """A zone, or rows like one of any symbols: what fillers surround need not be a filler."""
    lines = random_zone(rng)
    if rng.random() < ANYTHING:
        return tuple(random_text(rng, len(line)) for line in lines)
    return lines


def _overprinted(rng: Rng, page: Page) -> Page:
    """Strokes or a word across the zone."""
    top = int(min(row[:, 1].min() for row in page.rows)) - 2 * PITCH
    gray = page.gray.copy()
    over = damage.overprint if rng.random() < 0.5 else damage.stamped
    gray[top:] = over(rng, gray[top:], PITCH)
    return replace(page, gray=gray)


def _found(rng: Rng, picture: Levels, scene: Scene) -> Group:
    """The zone as the reader has it: about where it is, then moved to where its print is."""
    symbols = len(scene.lines[0])
    way = scene.rows[0][-1] - scene.rows[0][0]
    pitch = float(np.hypot(*way)) / symbols
    leading = float(np.hypot(*(scene.rows[1] - scene.rows[0]).mean(axis=0)))
    group = Group(tuple(_row(rng, row, pitch) for row in scene.rows), leading)
    group = replace(group, lean=_lean(scene.rows[0]))
    return centred(picture, group, symbols)


def _row(rng: Rng, points: Points, pitch: float) -> Row:
    """A row found a little beside where it is."""
    lengths = np.concatenate(([0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    at = np.linspace(0, lengths[-1], POINTS)
    even = np.stack([np.interp(at, lengths, points[:, i]) for i in (0, 1)], axis=1)
    along = (points[-1] - points[0]) / np.hypot(*(points[-1] - points[0]))
    even[0] -= along * pitch * rng.normal(0, 0.1)
    even[-1] += along * pitch * rng.normal(0, 0.1)
    across = np.array((-along[1], along[0]))
    aside = pitch * (rng.normal(0, 0.1) + rng.normal(0, 0.1) * np.linspace(-1, 1, POINTS))
    return Row((even + aside[:, None] * across).astype(np.float32), along.astype(np.float32), 1)


def _lean(points: Points) -> float:
    """See Group."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    quarter = len(steps) // 4
    return float(np.sqrt(steps[:quarter].sum() / steps[-quarter:].sum())) ** (4 / 3) - 1


def _look(rng: Rng, picture: Levels, group: Group, scene: Scene) -> list[Strip]:
    """Each row, shown a little differently every time."""
    symbols = len(scene.lines[0])
    shift, zoom = float(rng.normal(0, 0.9)), float(np.exp(rng.normal(0, 0.07)))
    shown = straighten(picture, group, symbols, shift, zoom)
    wide = shown.shape[2]
    plain = round((symbols + 2 * MARGIN) * STRIP_PITCH) // 4 * 4
    pixels = (np.arange(wide) - (wide - 1) / 2) / zoom + (plain - 1) / 2
    looks = []
    for i, (row, text) in enumerate(zip(group.rows, scene.lines, strict=True)):
        along = reach(group, symbols, pixels)[i]
        at, aside = _measured(row.points, scene.rows[i], len(text))
        if np.abs(aside).max() < STRAYS * row_length(row) / symbols:
            looks.append(Strip(shown[i], _on(along, row.points, at), text))
    return looks


def _on(along: NDArray[np.floating], points: Points, at: NDArray[np.floating]) -> NDArray[Any]:
    """`at` so many pixels along the points; beyond their ends it goes on."""
    lengths = np.concatenate(([0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    first, last = ((at[i + 1] - at[i]) / (lengths[i + 1] - lengths[i]) for i in (0, -2))
    over = np.maximum(along - lengths[-1], 0) * last
    places: NDArray[Any] = np.interp(along, lengths, at) + np.minimum(along, 0) * first + over
    return places


def _measured(
    points: Points, truth: Points, symbols: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Of each point: symbols from the row's true start, and pixels beside the true row."""
    many = 8 * symbols + 1
    part = np.linspace(0, len(truth) - 1, many)
    dense = np.stack([np.interp(part, np.arange(len(truth)), truth[:, i]) for i in (0, 1)], axis=1)
    far = np.hypot(*(points[:, None] - dense[None]).transpose(2, 0, 1))
    nearest = far.argmin(axis=1)
    here = np.clip(nearest, 0, many - 2)
    step = dense[here + 1] - dense[here]
    more = ((points - dense[here]) * step).sum(axis=1) / (step * step).sum(axis=1)
    beside = points - dense[here] - more[:, None] * step
    return (here + more) * symbols / (many - 1), np.hypot(*beside.T)
