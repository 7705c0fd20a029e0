"""Looks at one zone in a picture: rows straightened, symbols told, the likeliest zone decoded."""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.lattice import Decoded, decode
from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import Group, Row
from broker.verifiers.mrz.recognise import PITCH, Seen, cut, frames, misfit, spacing
from broker.verifiers.mrz.straighten import (
    LEADING,
    centred,
    reach,
    respaced,
    row_length,
    straighten,
)

Floats: TypeAlias = NDArray[np.float64]

WIDTHS: Final = (30, 36, 44)
"""Symbols to the row of any zone."""

ROWS: Final = {30: 3, 36: 2, 44: 2}
NOTHING: Final = -0.9
"""Rows less clear than this are no rows of a zone."""

VAGUE: Final = -0.4
"""Zones less clear than this are none: the vaguest that was ever read to the letter had -0.08."""

SMOOTH: Final = 3.0
"""Doubts and corrections (logarithms) above which symbols are counted otherwise as well."""

BOTH: Final = 2
"""Ways to count that are tried."""

PLAIN: Final = 0.45
"""Share of strips surely told above which rows are upright; some six of ten pixels are print."""

NO_PRINT: Final = 0.3
"""The same below which, either way up, there is no zone. Of those read none was below 0.48."""

FAINT: Final = 0.2
"""The same below which, either way up, it is no matter of the size. Of those read: 0.32."""

GROWTH: Final = 8
"""Symbols by which a row is made longer where its print goes on."""

MOST_LEAN: Final = 1.6
"""Root of how many times larger symbols may be at one end than at the other."""

UPRIGHT: Final = 0.03
"""The same, less 1, up to which strips need not be made again for it."""

EDGE: Final = 27
"""Half frames at the end of a strip where no print should be: three symbols' worth."""

OFF: Final = 1.09
"""By how much a strip may be made for too many or too few symbols before it is made again."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One zone as it was seen: where its rows are, what their places may hold, what that says."""

    group: Group
    seen: Seen
    decoded: Decoded

    @property
    def pitch(self) -> float:
        """Pixels of the picture from one symbol to the next."""
        return self.group.length / len(self.seen.likely[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """Rows shown as strips made for `made` symbols to the row, and what is told of them."""

    group: Group
    made: int
    frames: Floats

    @property
    def plain(self) -> float:
        """The share of the strips in which one symbol is surely told."""
        return float(np.exp(self.frames[:, :, :-1].max(axis=2)).mean())


def look(picture: Levels, group: Group) -> View | None:
    """The zone in `group`, whichever way up; None if nothing there is one."""
    told = _upright(picture, group)
    if told.plain < NO_PRINT:
        return None
    told = _grown(picture, told)
    best: View | None = None
    for width in _widths(told)[: BOTH if told.plain > PLAIN else 1]:
        view = _divided(picture, told, width)
        if view is not None and (best is None or _worth(view) > _worth(best)):
            best = view
        if best is not None and best.decoded.cost - best.decoded.share < SMOOTH:
            break
    return best


def look_again(picture: Levels, view: View, shift: float, zoom: float) -> Seen:
    """The same rows, shown a little differently and looked at closely."""
    places = view.seen.likely.shape[1]
    strips = straighten(picture, view.group, places, shift, zoom)
    return cut(frames(strips, closely=True), places)


def _worth(view: View) -> float:
    return view.decoded.score / (len(view.decoded.lines) * len(view.decoded.lines[0]))


def _upright(picture: Levels, group: Group) -> _Told:
    """The rows that way up in which more of them can be told."""
    guess = _nearest(group.length / group.leading * LEADING)
    told = _sized(picture, _shown(picture, group, guess))
    if told.plain > PLAIN:
        return told
    other = _sized(picture, _shown(picture, _turned(group), told.made))
    return max(told, other, key=lambda way: way.plain)


def _sized(picture: Levels, told: _Told) -> _Told:
    """The rows at about the right size: it was guessed from their distances, their print tells."""
    made = round(told.made * PITCH / spacing(told.frames))
    is_right = told.plain < FAINT or 1 / OFF < made / told.made < OFF
    return told if is_right else _shown(picture, told.group, made)


def _shown(picture: Levels, group: Group, made: int) -> _Told:
    group = centred(picture, group, made)
    return _Told(group, made, frames(straighten(picture, group, made)))


def _widths(told: _Told) -> list[int]:
    """Symbols to the row, the likeliest first; only what the strips have room for."""
    lost = dict(zip(WIDTHS, misfit(told.frames, WIDTHS).T, strict=True))

    def mean(width: int) -> float:
        rows, need = lost[width], ROWS[width]
        starts = range(max(1, len(rows) - need + 1))
        return min(float(rows[start : start + need].mean()) for start in starts)

    return sorted((width for width in WIDTHS if np.isfinite(mean(width))), key=mean)


def _divided(picture: Levels, told: _Told, width: int) -> View | None:
    """The view of rows that are divided into `width` symbols."""
    seen = cut(told.frames, width)
    group = _fitted(told.group, told.made, seen)
    group, seen = _clearest(group, seen, ROWS[width])
    if told.made != width or abs(group.lean) > UPRIGHT:
        # Now that both ends are known, the strips can be made as they should be.
        seen = cut(frames(straighten(picture, group, width)), width)
    group, seen = _completed(picture, group, seen)
    if len(group.rows) < ROWS[width] or seen.clear.mean() < VAGUE:
        return None
    decoded = decode(seen.likely)
    return None if decoded is None else View(group, seen, decoded)


def _grown(picture: Levels, told: _Told) -> _Told:
    """The rows grown at the ends at which their print goes on: finders may see only a part."""
    for _ in range(2):
        before, after = (_goes_on(end) for end in (told.frames[:, :EDGE], told.frames[:, -EDGE:]))
        if not (before or after) or told.made > WIDTHS[-1] + GROWTH:
            break
        pitch = told.group.length / told.made
        spans = [
            (-GROWTH * pitch * before, row_length(row) + GROWTH * pitch * after)
            for row in told.group.rows
        ]
        longer = respaced(told.group, np.array(spans))
        told = _shown(picture, longer, told.made + GROWTH * (before + after))
    return told


def _goes_on(end: Floats) -> bool:
    """Whether most rows show symbols at the very end of their strips."""
    inked = (end[:, :, :-1].max(axis=2) > np.log(0.6)).mean(axis=1)
    return bool(np.median(inked) > 0.25)  # noqa: PLR2004  two of the three pitches


def _fitted(group: Group, made: int, seen: Seen) -> Group:
    """The group from the start of its first symbols to the end of its last, leaning as they do."""
    centres = reach(group, made, seen.centres)
    lean = _lean(centres)
    pitch = (centres[:, -1] - centres[:, 0]) / (centres.shape[1] - 1)
    first, last = centres[:, 0] - pitch * (1 + lean) / 2, centres[:, -1] + pitch / (1 + lean) / 2
    return replace(respaced(group, np.stack((first, last), axis=1)), lean=lean)


def _lean(centres: Floats) -> float:
    """How much larger symbols are at the start than at the end (see Group), of all rows."""
    part = np.linspace(-1, 1, centres.shape[1])
    slopes = [np.polynomial.Polynomial.fit(part, row, 2).deriv() for row in centres]
    first, last = (float(np.median([slope(end) for slope in slopes])) for end in (-1, 1))
    root = float(np.sqrt(max(first, 1e-3) / max(last, 1e-3)))
    return min(max(root, 1 / MOST_LEAN), MOST_LEAN) - 1


def _clearest(group: Group, seen: Seen, need: int) -> tuple[Group, Seen]:
    """At most `need` rows: neighbours, the clearest; rows at the edge that are none left out."""
    clear = seen.clear
    starts = range(max(1, len(clear) - need + 1))
    first = max(starts, key=lambda start: float(clear[start : start + need].sum()))
    last = min(first + need, len(clear))
    while last - first > 1 and min(clear[first], clear[last - 1]) < NOTHING:
        if clear[first] < clear[last - 1]:
            first += 1
        else:
            last -= 1
    rows = slice(first, last)
    return replace(group, rows=group.rows[rows]), (
        Seen(seen.likely[rows], seen.centres[rows], seen.beyond[rows])
    )


def _completed(picture: Levels, group: Group, seen: Seen) -> tuple[Group, Seen]:
    """With the rows that the finder missed, looked for where they must be."""
    width = seen.likely.shape[1]
    while len(group.rows) < ROWS[width] and seen.clear.min() > NOTHING:
        ways = [centred(picture, _with(group, above=side), width) for side in (True, False)]
        looks = [(way, cut(frames(straighten(picture, way, width)), width)) for way in ways]
        group, seen = max(looks, key=lambda look: float(look[1].clear.sum()))
    return group, seen


def _nearest(symbols: float) -> int:
    return min(WIDTHS, key=lambda width: abs(np.log(max(symbols, 1) / width)))


def _with(group: Group, *, above: bool) -> Group:
    """The group with one more row, where it must be if it is there."""
    row = group.rows[0 if above else -1]
    down = np.array((-row.along[1], row.along[0]), np.float32)
    more = Row(row.points + down * (-group.leading if above else group.leading), row.along, 0)
    return replace(group, rows=(more, *group.rows) if above else (*group.rows, more))


def _turned(group: Group) -> Group:
    """The group as somebody reads it who stands on the other side."""
    rows = tuple(Row(row.points[::-1], -row.along, row.sure) for row in reversed(group.rows))
    return replace(group, rows=rows)
