"""Looks at one zone in a picture: rows straightened, symbols told, the likeliest zone decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.lattice import Decoded, decode
from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import Group, Row, even_ends
from broker.verifiers.mrz.recognise import Seen, count_symbols, cut, frames
from broker.verifiers.mrz.straighten import (
    LEADING,
    centred,
    reach,
    respaced,
    row_length,
    straighten,
)

WIDTHS: Final = (30, 36, 44)
"""Symbols to the row of any zone."""

ROWS: Final = {30: 3, 36: 2, 44: 2}
NOTHING: Final = -0.9
"""Rows less clear than this are no rows of a zone."""

SMOOTH: Final = 6.0
"""Doubts and corrections (logarithms) above which a zone is looked at upside down as well."""

BOTH: Final = 2
HOPELESS: Final = -0.5
"""Clearness under which, both ways up, nothing is gained by counting symbols otherwise."""

GROWTH: Final = 8
"""Symbols by which a row is made longer where its print goes on."""

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


def look(picture: Levels, group: Group) -> View | None:
    """The zone in `group`, whichever way up; None if nothing there is one."""
    best: View | None = None
    for tried, (rows, width) in enumerate(_ways(group), 1):
        view = _one_way(picture, rows, width)
        if view is not None and (best is None or _worth(view) > _worth(best)):
            best = view
        if best is not None and best.decoded.cost - best.decoded.share < SMOOTH:
            break
        if tried == BOTH and (best is None or best.seen.clear.mean() < HOPELESS):
            break
    return best


def _ways(group: Group) -> Iterator[tuple[Group, int | None]]:
    """What the rows may be, the likeliest first: both ways up, then without a row too many.

    With each goes the number of symbols to the row, or None where they are to be counted.
    """
    yield group, None
    yield _turned(group), None
    if len(group.rows) == ROWS[30]:
        for pair in (group.rows[1:], group.rows[:-1]):
            fewer = even_ends(Group(pair, group.leading))
            yield fewer, None
            yield _turned(fewer), None
    for width in (44, 36):
        yield group, width
        yield _turned(group), width


def look_again(picture: Levels, view: View, shift: float, zoom: float) -> Seen:
    """The same rows, shown a little differently."""
    places = view.seen.likely.shape[1]
    return cut(frames(straighten(picture, view.group, places, shift, zoom)), places)


def _worth(view: View) -> float:
    return view.decoded.score / (len(view.decoded.lines) * len(view.decoded.lines[0]))


def _one_way(picture: Levels, group: Group, width: int | None) -> View | None:
    guess = width or _nearest(group.length / group.leading * LEADING)
    group = centred(picture, group, guess)
    told = frames(straighten(picture, group, guess))
    group, made, told = _grown(picture, group, guess, told)
    width = width or _nearest(count_symbols(told))
    if len(group.rows) == 1:
        group = Group(group.rows, group.length / made * LEADING)
    if made == guess and not 1 / OFF < width / guess < OFF:
        made, told = width, frames(straighten(picture, group, width))
    seen = cut(told, width)
    group = _fitted(group, made, seen)
    group, seen = _clearest(group, seen, ROWS[width])
    if made != width:
        # Now that both ends are known, the strips can be made as they should be.
        seen = cut(frames(straighten(picture, group, width)), width)
    group, seen = _completed(picture, group, seen)
    if len(group.rows) < ROWS[width] or seen.clear.mean() < NOTHING:
        return None
    decoded = decode(seen.likely)
    return None if decoded is None else View(group, seen, decoded)


def _grown(
    picture: Levels, group: Group, made: int, told: NDArray[np.float64]
) -> tuple[Group, int, NDArray[np.float64]]:
    """The group grown at the ends at which its print goes on: finders may see only a part."""
    for _ in range(2):
        before, after = (_goes_on(end) for end in (told[:, :EDGE], told[:, -EDGE:]))
        if not (before or after) or made > WIDTHS[-1] + GROWTH:
            break
        pitch = group.length / made
        spans = [
            (-GROWTH * pitch * before, row_length(row) + GROWTH * pitch * after)
            for row in group.rows
        ]
        group = respaced(group, np.array(spans))
        made += GROWTH * (before + after)
        group = centred(picture, group, made)
        told = frames(straighten(picture, group, made))
    return group, made, told


def _goes_on(end: NDArray[np.float64]) -> bool:
    """Whether most rows show symbols at the very end of their strips."""
    inked = (end[:, :, :-1].max(axis=2) > np.log(0.6)).mean(axis=1)
    return bool(np.median(inked) > 0.25)  # noqa: PLR2004  two of the three pitches


def _fitted(group: Group, made: int, seen: Seen) -> Group:
    """The group from the start of its first symbols to the end of its last."""
    ends = reach(group, made, seen.centres[:, [0, -1]])
    half = (ends[:, 1] - ends[:, 0]) / (seen.likely.shape[1] - 1) / 2
    return respaced(group, np.stack((ends[:, 0] - half, ends[:, 1] + half), axis=1))


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
    return Group(group.rows[rows], group.leading), (
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
    return Group((more, *group.rows) if above else (*group.rows, more), group.leading)


def _turned(group: Group) -> Group:
    """The group as somebody reads it who stands on the other side."""
    rows = tuple(Row(row.points[::-1], -row.along, row.sure) for row in reversed(group.rows))
    return Group(rows, group.leading)
