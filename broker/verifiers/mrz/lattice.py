"""The likeliest valid zone among all that the places may hold, and how sure it is.

Exact, not a search: positions are walked once, remembering the sums of check digits so far
(modulo 10), so every string that the grammar and the check digits allow takes part.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.bindings import Place, forms
from broker.verifiers.mrz.grammar import SYMBOLS, value
from broker.verifiers.mrz.layouts import LAYOUTS, Layout, layout_of
from broker.verifiers.mrz.origins import KNOWN, handicap, origin, state_columns

Floats: TypeAlias = NDArray[np.float64]
Lines = tuple[str, ...]

_RESIDUE: Final = np.array([value(symbol) % 10 for symbol in SYMBOLS])
_BY_RESIDUE: Final = np.argsort(_RESIDUE, kind="stable")
_STARTS: Final = np.searchsorted(_RESIDUE[_BY_RESIDUE], np.arange(10))
"""Symbols in the order of what they are worth modulo 10, and where each such worth begins."""

NEVER: Final = -1e9
FAR: Final = 25.0
"""By how much (a logarithm) a whole form must be less likely not to be walked at all."""

_PAIRS: Final = ("O0", "Q0", "D0", "I1", "L1", "Z2", "S5", "G6", "T7", "B8")
ALIKE: Final = np.array([[a + b in _PAIRS or b + a in _PAIRS for b in SYMBOLS] for a in SYMBOLS])
"""Letters and digits that are one shape in OCR-B to whoever sees little."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The likeliest valid zone; likelihoods are logarithms.

    `score` is its own, `second` that of the best other valid zone, `all_valid` that of all
    together, `free` that of the likeliest string that the grammar allows, valid or not.
    `likely` (rows, places) are each symbol's own; what looks like it and may not stand there
    counts for it.
    """

    lines: Lines
    score: float
    second: float
    all_valid: float
    free: float
    likely: tuple[tuple[float, ...], ...]

    @property
    def share(self) -> float:
        """The logarithm of the reading's share among all valid ones: 0 if it is alone."""
        return self.score - self.all_valid

    @property
    def cost(self) -> float:
        """What check digits corrected, as the logarithm of how much likelier the rest was."""
        return self.free - self.score


def decode(likely: Floats) -> Decoded | None:
    """The likeliest valid zone in `likely` (rows, places, 37), of all formats of that shape."""
    found: list[Decoded] = []
    for bound, layout, form in sorted(_ways(likely), key=lambda way: -way[0]):
        if found and bound < max(d.score for d in found) - FAR:
            break
        decoded = _walked(layout, form, likely)
        if decoded is not None and layout_of(decoded.lines) is layout:
            found.append(decoded)
    if not found:
        return None
    best = max(found, key=lambda d: d.score)
    others = [d.score for d in found if d.lines != best.lines]
    return replace(
        best,
        second=max([best.second, *others]),
        all_valid=float(np.logaddexp.reduce([d.all_valid for d in found])),
        free=max(d.free for d in found),
    )


def _ways(likely: Floats) -> Iterator[tuple[float, Layout, tuple[Place, ...]]]:
    """The forms of every format of that shape, with what no zone of them can be better than."""
    for layout in LAYOUTS:
        if (layout.lines, layout.width) != likely.shape[:2]:
            continue
        for form in forms(layout, likely):
            at, allowed = _grid(form)
            top = np.where(allowed, likely[at[:, 0], at[:, 1]], NEVER).max(axis=1)
            known = KNOWN * len(state_columns(layout))
            yield float(top.sum()) + known - handicap(layout), layout, form


@cache
def _grid(places: tuple[Place, ...]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Row and column of every place in the order of walking, and what may stand there."""
    at = np.array([(place.row, place.column) for place in places])
    return at, np.array([place.allowed for place in places])


@cache
def _moves(field: int, total: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each state (field sum × 10 + total sum) and residue: the state before, and after."""
    f, t = np.divmod(np.arange(100), 10)
    r = np.arange(10)[:, None]
    before = (f - field * r) % 10 * 10 + (t - total * r) % 10
    after = (f + field * r) % 10 * 10 + (t + total * r) % 10
    return before, after


@cache
def _ending(place: Place) -> NDArray[np.bool_]:
    """Which residues (10, 1) may stand in which states (100) before this place."""
    f, t = np.divmod(np.arange(100), 10)
    r = np.arange(10)[:, None]
    fits: NDArray[np.bool_] = np.ones((10, 100), bool)
    if place.ends_field:
        fits &= f == r
    if place.ends_total:
        fits &= t == r
    return fits


def _walked(layout: Layout, places: tuple[Place, ...], likely: Floats) -> Decoded | None:
    """See decode. The walk goes forwards for sums and maxima, then backwards for the runners-up."""
    at, allowed = _grid(places)
    masked = np.where(allowed, likely[at[:, 0], at[:, 1]], NEVER)
    ordered = masked[:, _BY_RESIDUE]
    residues = np.maximum.reduceat(ordered, _STARTS, axis=1)
    every = np.logaddexp.reduceat(ordered, _STARTS, axis=1)
    ahead, summed = _forwards(places, residues, every)
    best = float(ahead[-1][0])
    if best < NEVER / 2:
        return None
    chosen, second = _backwards(places, residues, ahead)
    as_read = np.lexsort((at[:, 1], at[:, 0]))
    masked, allowed, chosen = masked[as_read], allowed[as_read], chosen[as_read]
    picked = [
        int(np.argmax(np.where(r == _RESIDUE, m, 2 * NEVER)))
        for r, m in zip(chosen, masked, strict=True)
    ]
    for m, pick in zip(masked, picked, strict=True):
        twin = np.where(_RESIDUE[pick] == _RESIDUE, m, NEVER)
        twin[pick] = NEVER
        second = max(second, best - float(m[pick]) + float(twin.max()))
    free = float(sum(m.max() for m in masked))
    rows, width = likely.shape[:2]
    gained = every_gained = -handicap(layout)
    for row, column in state_columns(layout):
        here = row * width + column
        known = origin(masked[here : here + 3])
        picked[here : here + 3] = known.picked
        gained, every_gained = gained + known.gain, every_gained + known.every
    text = "".join(SYMBOLS[pick] for pick in picked)
    own = _own(likely.reshape(masked.shape), allowed, np.array(picked))
    return Decoded(
        tuple(text[i * width : (i + 1) * width] for i in range(rows)),
        best + gained,
        second + gained,
        float(summed) + every_gained,
        free + gained,
        tuple(tuple(own[i * width : (i + 1) * width]) for i in range(rows)),
    )


def _own(likely: Floats, allowed: NDArray[np.bool_], picked: NDArray[np.intp]) -> list[float]:
    """How likely each picked symbol is by its looks (see Decoded)."""
    counted = ALIKE[picked] & ~allowed
    counted[np.arange(len(picked)), picked] = True
    told = np.logaddexp.reduce(np.where(counted, likely, NEVER), axis=1)
    return [float(value) for value in told]


def _is_free(place: Place) -> bool:
    return not (place.field or place.total or place.ends_field or place.ends_total)


def _forwards(
    places: Sequence[Place], residues: Floats, every: Floats
) -> tuple[list[Floats], float]:
    """The best way to each state before each place (and after the last); the sum of all ways."""
    start = np.full(100, NEVER)
    start[0] = 0
    ahead, total = [start], start.copy()
    for i, place in enumerate(places):
        if _is_free(place):
            ahead.append(ahead[-1] + residues[i].max())
            total = total + np.logaddexp.reduce(every[i])
            continue
        ahead.append(_step(place, ahead[-1], residues[i]).max(axis=0))
        total = np.logaddexp.reduce(_step(place, total, every[i]), axis=0)
    return ahead, float(total[0])


def _step(place: Place, states: Floats, score: Floats) -> Floats:
    """(residues, states after): how good it is to come to each state by each residue."""
    ways = np.where(_ending(place), states[None] + score[:, None], NEVER)
    # A digit that ended a sum is counted no more: the sum starts again.
    before, _ = _moves(place.field, place.total)
    moved = np.take_along_axis(ways, before, axis=1)
    if not (place.ends_field or place.ends_total):
        return moved
    grid = moved.reshape(10, 10, 10)
    if place.ends_field:
        grid = _collapsed(grid, 1)
    if place.ends_total:
        grid = _collapsed(grid, 2)
    return grid.reshape(10, 100)


def _collapsed(grid: Floats, axis: int) -> Floats:
    """All states of one sum brought to 0."""
    out = np.full_like(grid, NEVER)
    first = [slice(None)] * 3
    first[axis] = slice(0, 1)
    out[tuple(first)] = np.logaddexp.reduce(grid, axis=axis, keepdims=True)
    return out


def _backwards(
    places: Sequence[Place], residues: Floats, ahead: list[Floats]
) -> tuple[NDArray[np.intp], float]:
    """The residues of the best way, and the score of the best way with any other residue."""
    after = np.full(100, NEVER)
    after[0] = 0
    chosen: list[int] = []
    second = NEVER
    for i in range(len(places) - 1, -1, -1):
        place = places[i]
        if _is_free(place):
            ways = residues[i] + (ahead[i] + after).max()
            after = after + residues[i].max()
        else:
            told = np.where(_ending(place), residues[i][:, None] + after[_onward(place)], NEVER)
            ways = (told + ahead[i][None]).max(axis=1)
            after = told.max(axis=0)
        best = int(ways.argmax())
        chosen.append(best)
        ways[best] = NEVER
        second = max(second, float(ways.max()))
    return np.array(chosen[::-1], np.intp), second


@cache
def _onward(place: Place) -> NDArray[np.intp]:
    """For each residue and state, the state after the place."""
    f, t = np.divmod(_moves(place.field, place.total)[1], 10)
    onward: NDArray[np.intp] = (f * (not place.ends_field)) * 10 + t * (not place.ends_total)
    return onward
