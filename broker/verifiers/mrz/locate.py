"""Finds the rows of zones in a picture, whichever way up, and which of them belong together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.network import find_rows

Floats: TypeAlias = NDArray[np.float32]

SIDE: Final = 512
"""Pixels of the longer side of the picture in which rows are looked for."""

LARGER: Final = 2.0
"""By how much a small picture is made larger, at most."""

BLOCK: Final = 16
HALF: Final = 2
"""Pixels of that picture to one of the maps."""

LIKELY: Final = 0.4
SMALLEST: Final = 6
"""Map pixels under which a piece of a row is chance."""

UNEVEN: Final = 1.35
"""By how much two distances between three rows may differ."""

STEADY: Final = 0.6
"""Length of a row against the longest from which its slope is its own."""

MOST: Final = 40
"""Pieces of rows that are looked at, the largest first."""

SHORTEST: Final = 0.45
"""Length of a row against the longest of its group below which it is no row of it."""

LEADINGS: Final = (0.028, 0.15)
"""Between rows, by the length of a row: 6.35 mm to 112 or 76 mm, and what perspective does."""

LONE: Final = 2.5 / 44
"""Leading by length that is assumed of a row alone."""

PARALLEL: Final = 0.94
ROWS: Final = 3
POINTS: Final = 33
"""Points by which the middle of a row is described."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row: `along` its reading direction (unit), `points` of its middle (n, 2), in pixels.

    Pixels are those of the picture that was given; `sure` is the mean likelihood, 0–1.
    """

    points: Floats
    along: Floats
    sure: float

    @property
    def length(self) -> float:
        """Pixels from the first to the last point."""
        return float(np.hypot(*(self.points[-1] - self.points[0])))

    @property
    def centre(self) -> Floats:
        """The point half-way."""
        centre: Floats = (self.points[0] + self.points[-1]) / 2
        return centre


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Rows of one zone, from its top down; `leading` pixels lie between two.

    Capitals are `high` pixels high, 0 where nobody has measured yet. Seen from the side, symbols
    are larger at one end: `lean` is the root of that ratio, first to last, less 1.
    """

    rows: tuple[Row, ...]
    leading: float
    high: float = 0
    lean: float = 0

    @property
    def length(self) -> float:
        """Pixels of the longest row."""
        return max(row.length for row in self.rows)


def locate(picture: Levels, side: int = SIDE) -> tuple[Group, ...]:
    """What may be zones in a picture, the likeliest first, lone rows last.

    The picture is looked at with its longer side `side` pixels, or larger than it is by at most
    LARGER.
    """
    scale = min(LARGER, side / max(picture.shape))
    gray, halved = picture.at(1 / scale)
    small = cv2.resize(
        gray, None, fx=scale / halved, fy=scale / halved, interpolation=cv2.INTER_AREA
    )
    maps = find_rows(_padded(_evened(small))[None, None])[0]
    likely = 1 / (1 + np.exp(-maps[0]))
    pieces = _joined([_row(*piece) for piece in _pieces(likely, maps[1:])])
    rows = [_scaled(row, HALF / scale) for row in pieces]
    return tuple(_groups(rows))


def _evened(gray: NDArray[np.uint8]) -> Floats:
    """Mean 0, deviation 1: as the network has learnt to see."""
    levels = gray.astype(np.float32) / 255
    evened: Floats = (levels - levels.mean()) / (levels.std() + np.float32(0.02))
    return evened


def _padded(picture: Floats) -> Floats:
    high, wide = picture.shape
    padded: Floats = np.pad(picture, ((0, -high % BLOCK), (0, -wide % BLOCK)))
    return padded


def _pieces(likely: Floats, direction: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Of every piece of a row: its points, their weights, and the direction it is read in."""
    mask = (likely > LIKELY).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    largest = 1 + np.argsort(-areas[1:])[:MOST]
    for i in largest[areas[largest] >= SMALLEST]:
        left, top, wide, high, _ = stats[i]
        window = (slice(top, top + high), slice(left, left + wide))
        y, x = np.nonzero(labels[window] == i)
        x, y = x + left, y + top
        weights = likely[y, x]
        points = np.stack((x, y), axis=1).astype(np.float32)
        yield points, weights, (direction[:, y, x] * weights).sum(axis=1)


def _row(points: Floats, weights: Floats, towards: Floats) -> Row:
    """The row through the points of one or more pieces: a smooth curve along its middle."""
    centre = np.average(points, axis=0, weights=weights)
    spread = (points - centre).T * weights @ (points - centre)
    axis = np.linalg.eigh(spread)[1][:, 1]
    along = (axis if axis @ towards >= 0 else -axis).astype(np.float32)
    across = np.array((-along[1], along[0]), np.float32)
    at, off = (points - centre) @ along, (points - centre) @ across
    reach = float(np.ptp(at))
    order = 3 if reach > 60 else 2 if reach > 30 else 1 if reach > 4 else 0  # noqa: PLR2004
    middle = np.polynomial.Polynomial.fit(at, off, order, w=np.sqrt(weights))
    steps = np.linspace(at.min() - 0.5, at.max() + 0.5, POINTS)
    curve = centre + steps[:, None] * along + middle(steps)[:, None] * across
    return Row(curve.astype(np.float32), along, float(weights.mean()))


def _joined(rows: list[Row]) -> list[Row]:
    """Pieces that lie in one line made one row, the longest growing first."""
    waiting = sorted(rows, key=lambda row: -row.length)
    done: list[Row] = []
    while waiting:
        row = waiting.pop(0)
        while (other := next((o for o in waiting if _continues(row, o)), None)) is not None:
            waiting.remove(other)
            points = np.concatenate((row.points, other.points))
            weights: Floats = np.repeat((row.length + 1, other.length + 1), POINTS).astype(
                np.float32
            )
            sure = max(row.sure, other.sure)
            row = _row(points, weights, row.along)
            row = Row(row.points, row.along, sure)
        done.append(row)
    return done


def _continues(row: Row, other: Row) -> bool:
    """Whether `other`, the shorter, lies in the line of `row` beyond one of its ends."""
    if float(row.along @ other.along) < PARALLEL and other.length > 8:  # noqa: PLR2004
        return False
    end, inner = (
        (row.points[-1], row.points[-8])
        if float((other.centre - row.centre) @ row.along) > 0
        else (row.points[0], row.points[7])
    )
    way = (end - inner) / (np.hypot(*(end - inner)) + 1e-6)
    to_other = other.centre - end
    ahead = float(to_other @ way)
    aside = abs(float(to_other[0] * way[1] - to_other[1] * way[0]))
    gap = ahead - other.length / 2
    near = max(3.0, 0.35 * row.length)
    return -3 < gap < near and aside < max(1.8, 0.05 * ahead)  # noqa: PLR2004


def _scaled(row: Row, factor: float) -> Row:
    return Row(row.points * np.float32(factor), row.along, row.sure)


def _groups(rows: list[Row]) -> Iterator[Group]:
    """Rows that are parallel, side by side and evenly apart, the surest group first."""
    found: list[Group] = []
    alone: list[Group] = []
    longest = max((row.length for row in rows), default=0)
    left = sorted(rows, key=lambda row: -row.length * row.sure)
    while left:
        first = left[0]
        members = _neighbours(first, left[1:])
        left = [row for row in left[1:] if not any(row is m for m in members)]
        if len(members) > 1:
            found.append(_group(members))
        elif first.length > longest / 2:
            alone.append(Group((first,), first.length * LONE))
    yield from sorted(found, key=lambda g: -sum(row.length * row.sure for row in g.rows))
    yield from alone


def _neighbours(first: Row, rows: Sequence[Row]) -> list[Row]:
    """`first` and up to two rows beside it, nearest first."""
    members = [first]
    for row in sorted(rows, key=lambda r: abs(_below(first, r))):
        apart = min(abs(_below(first, row) - _below(first, m)) for m in members) / first.length
        alike = float(row.along @ first.along) > PARALLEL and row.length > SHORTEST * first.length
        beside = abs(float((row.centre - first.centre) @ first.along)) < 0.4 * first.length
        if len(members) < ROWS and alike and beside and LEADINGS[0] < apart < LEADINGS[1]:
            members.append(row)
    return members


def _below(first: Row, other: Row) -> float:
    """Pixels by which `other` lies below `first`, as they are read."""
    away = other.centre - first.centre
    return float(first.along[0] * away[1] - first.along[1] * away[0])


def _group(members: list[Row]) -> Group:
    ordered = sorted(members, key=lambda row: _below(members[0], row))
    heights = [_below(members[0], row) for row in ordered]
    if len(ordered) == ROWS:
        above, below = np.diff(heights)
        if max(above, below) > UNEVEN * min(above, below):
            kept = slice(1, ROWS) if above > below else slice(0, ROWS - 1)
            ordered, heights = ordered[kept], heights[kept]
    return even_ends(Group(tuple(ordered), float(np.mean(np.diff(heights)))))


def even_ends(group: Group) -> Group:
    """The rows of a zone begin and end below one another: what was missed of one is added.

    Of three, the middle one of their beginnings and ends counts: one may be no row of the zone.
    """
    rows = group.rows
    longest = max(rows, key=lambda row: row.length)
    along = longest.points[-1] - longest.points[0]
    along /= np.hypot(*along)
    starts = sorted(float(row.points[0] @ along) for row in rows)
    stops = sorted(float(row.points[-1] @ along) for row in rows)
    first, last = (starts[0], stops[-1]) if len(rows) < ROWS else (starts[1], stops[1])
    at = np.linspace(first, last, POINTS)
    return Group(tuple(_laid(row, longest, along, at) for row in rows), group.leading)


def _laid(row: Row, longest: Row, along: Floats, at: Floats) -> Row:
    """The row at other places along it; where it was not seen it runs as the longest one does."""
    across = np.array((-along[1], along[0]), np.float32)
    there, own = row.points @ along, row.points @ across
    beside = np.interp(there, longest.points @ along, longest.points @ across)
    slope = 1 if row.length > STEADY * longest.length else 0
    gap = np.polynomial.Polynomial.fit(there, own - beside, slope)
    off = _beyond(longest.points @ along, longest.points @ across, at) + gap(at)
    seen = (at >= there[0]) & (at <= there[-1])
    off = np.where(seen, np.interp(at, there, own), off)
    points = at[:, None] * along + off[:, None] * across
    return Row(points.astype(np.float32), row.along, row.sure)


def _beyond(x: Floats, y: Floats, at: Floats) -> Floats:
    """`y` at places `at`, going on straight beyond its ends."""
    fifth = POINTS // 5
    before = (y[fifth] - y[0]) / max(float(x[fifth] - x[0]), 1e-3)
    after = (y[-1] - y[-1 - fifth]) / max(float(x[-1] - x[-1 - fifth]), 1e-3)
    beyond: Floats = (
        np.interp(at, x, y) + np.minimum(at - x[0], 0) * before + np.maximum(at - x[-1], 0) * after
    )
    return beyond
