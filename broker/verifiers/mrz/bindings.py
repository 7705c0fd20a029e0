"""The places of a zone as check digits bind them: what walking them in order has to know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.check_digits import NUMBER, WEIGHTS
from broker.verifiers.mrz.grammar import DIGITS, FILLER, SYMBOLS, cells
from broker.verifiers.mrz.layouts import IDFRA, Guard, Layout, Span

Floats: TypeAlias = NDArray[np.float64]

COMPOSITE: Final = "composite"
FRANCE: Final = "IDFRA"
HINT: Final = 6.0
"""By how much (a logarithm) a filler may be less likely than the best and still be tried."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place, for walking: what may stand, its weights in the two sums, and what it ends."""

    row: int
    column: int
    allowed: tuple[bool, ...]
    field: int = 0
    total: int = 0
    ends_field: bool = False
    ends_total: bool = False


Places: TypeAlias = dict[tuple[int, int], Place]


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One way in which a layout may be filled: its places in the order of walking."""

    places: tuple[Place, ...]


def forms(layout: Layout, likely: Floats) -> Iterator[Form]:
    """The layout as it is, and with what the standard allows instead, where the places hint it."""
    yield _places(layout, 0, is_empty=False)
    for guard in layout.guards:
        row, column = guard.at.line - 1, guard.at.first - 1
        gap = likely[row, column]
        if gap[-1] < gap.max() - HINT:
            continue
        if guard.may_be_filler:
            yield _places(layout, 0, is_empty=True)
        if guard.name == NUMBER and layout.overflow is not None:
            field = layout.fields[layout.overflow]
            for rest in range(1, field.last - field.first + 1):
                yield _places(layout, rest, is_empty=False)


@cache
def _places(layout: Layout, rest: int, *, is_empty: bool) -> Form:
    """Every place in the order of walking; `rest` symbols of a long number are in optional data.

    With `is_empty`, what may be guarded by a filler is empty and is guarded so. One sum of a field
    is walked at a time: places bound by one digit stand together, as TD2's long numbers do not.
    """
    grammar = cells(layout)
    places = {
        (row, column): Place(row, column, tuple(s in cell.symbols for s in SYMBOLS))
        for row, line in enumerate(grammar)
        for column, cell in enumerate(line)
    }
    for guard in layout.guards:
        if guard.name == COMPOSITE:
            _weigh_total(places, guard)
        elif guard.may_be_filler and is_empty:
            for at in (*_spread(guard.over), *_spread((guard.at,))):
                places[at] = _only(places[at], FILLER)
        else:
            _weigh_field(places, layout, guard, rest if guard.name == NUMBER else 0)
    if layout is IDFRA:
        for i, symbol in enumerate(FRANCE):
            places[0, i] = _only(places[0, i], symbol)
    apart = _apart(layout, rest)
    return Form(tuple(places[at] for at in sorted(places, key=lambda at: (at not in apart, at))))


def _apart(layout: Layout, rest: int) -> set[tuple[int, int]]:
    """The places of a long number, with its digit: they are walked before all others."""
    if not rest:
        return set()
    start = layout.fields[layout.overflow or ""]
    here = Span(start.line, start.first, start.first + rest)
    return set(_spread((layout.fields[NUMBER], here)))


def _spread(spans: Sequence[Span]) -> list[tuple[int, int]]:
    return [(s.line - 1, at - 1) for s in spans for at in range(s.first, s.last + 1)]


def _only(place: Place, symbols: str) -> Place:
    return replace(place, allowed=tuple(s in symbols for s in SYMBOLS))


def _weigh_total(places: Places, guard: Guard) -> None:
    for i, at in enumerate(_spread(guard.over)):
        places[at] = replace(places[at], total=WEIGHTS[i % 3])
    (end,) = _spread((guard.at,))
    places[end] = _only(replace(places[end], ends_total=True), DIGITS)


def _weigh_field(places: Places, layout: Layout, guard: Guard, rest: int) -> None:
    over, (end,) = _spread(guard.over), _spread((guard.at,))
    if rest:
        over, end = _long(places, layout, over, rest)
    for i, at in enumerate(over):
        places[at] = replace(places[at], field=WEIGHTS[i % 3])
    places[end] = _only(replace(places[end], ends_field=True), DIGITS)


def _long(
    places: Places, layout: Layout, over: list[tuple[int, int]], rest: int
) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """A number longer than its field: what its check digit guards, and where that stands."""
    start = layout.fields[layout.overflow or ""]
    row, first = start.line - 1, start.first - 1
    guard = next(g for g in layout.guards if g.name == NUMBER)
    at = (guard.at.line - 1, guard.at.first - 1)
    places[at] = _only(places[at], FILLER)
    more = [(row, first + i) for i in range(rest)]
    for here in (*over, *more):
        places[here] = _only(places[here], SYMBOLS[:-1])
    if first + rest + 1 < start.last:
        after = (row, first + rest + 1)
        places[after] = _only(places[after], FILLER)
    return over + more, (row, first + rest)
