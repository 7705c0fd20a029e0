"""The likeliest valid zone among all that the places may hold, and how sure it is.

Exact, not a search: positions are walked once, remembering the sums of check digits so far
(modulo 10), so every string that the grammar and the check digits allow takes part.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.bindings import Form, forms
from broker.verifiers.mrz.grammar import SYMBOLS, value
from broker.verifiers.mrz.layouts import LAYOUTS, Layout, layout_of
from broker.verifiers.mrz.origins import KNOWN, handicap, origin, state_columns

Floats: TypeAlias = NDArray[np.float64]
Lines = tuple[str, ...]

_RESIDUE: Final = np.array([value(symbol) % 10 for symbol in SYMBOLS])
_BY_RESIDUE: Final = np.argsort(_RESIDUE, kind="stable")
_STARTS: Final = np.searchsorted(_RESIDUE[_BY_RESIDUE], np.arange(10))
"""Symbols in the order of what they are worth modulo 10, and where each such worth begins."""

_ALIKE_WORTH: Final = _RESIDUE[:, None] == _RESIDUE
"""Which symbols check digits cannot tell apart."""

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


def _ways(likely: Floats) -> Iterator[tuple[float, Layout, Form]]:
    """The forms of every format of that shape, with what no zone of them can be better than."""
    for layout in LAYOUTS:
        if (layout.lines, layout.width) != likely.shape[:2]:
            continue
        for form in forms(layout, likely):
            plan = _plan(form)
            top = np.where(plan.allowed, likely[plan.rows, plan.columns], NEVER).max(axis=1)
            known = KNOWN * len(state_columns(layout))
            yield float(top.sum()) + known - handicap(layout), layout, form


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """How the sums go on at one place; a state is the sum of the field × 10 + that of the whole.

    By residue and state after the place (10, 100): the state `before` it, and whether such a one
    `comes` there (1 or 0). By residue and state before it: the state `onward`, and whether it
    `may` go there. A digit that ends a sum is counted no more: the sum starts again.
    """

    before: NDArray[np.intp]
    comes: Floats
    onward: NDArray[np.intp]
    may: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A form as it is walked, place by place: where they are, what may stand there, the sums.

    `as_read` sorts the places row by row; where no check digit binds one, there is no step.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    allowed: NDArray[np.bool_]
    as_read: NDArray[np.intp]
    steps: tuple[_Step | None, ...]


@cache
def _plan(form: Form) -> _Plan:
    rows = np.array([place.row for place in form.places])
    columns = np.array([place.column for place in form.places])
    allowed = np.array([place.allowed for place in form.places])
    steps = tuple(_step(p.field, p.total, p.ends_field, p.ends_total) for p in form.places)
    return _Plan(rows, columns, allowed, np.lexsort((columns, rows)), steps)


@cache
def _step(field: int, total: int, ends_field: bool, ends_total: bool) -> _Step | None:  # noqa: FBT001  of a place
    if not (field or total or ends_field or ends_total):
        return None
    f, t = np.divmod(np.arange(100), 10)
    r = np.arange(10)[:, None]
    may: NDArray[np.bool_] = np.ones((10, 100), bool)
    if ends_field:
        may &= f == r
    if ends_total:
        may &= t == r
    to_f, to_t = (f + field * r) % 10 * (not ends_field), (t + total * r) % 10 * (not ends_total)
    onward = to_f * 10 + to_t
    before: NDArray[np.intp] = np.zeros((10, 100), np.intp)
    comes: Floats = np.zeros((10, 100))
    # At an end, only one of the states that come together may go on with this residue.
    residue, state = np.nonzero(may)
    before[residue, onward[residue, state]] = state
    comes[residue, onward[residue, state]] = 1
    return _Step(before, comes, onward, may)


def _walked(layout: Layout, form: Form, likely: Floats) -> Decoded | None:
    """See decode. The walk goes forwards for sums and maxima, then backwards for the runners-up."""
    plan = _plan(form)
    masked = np.where(plan.allowed, likely[plan.rows, plan.columns], NEVER)
    residues = np.maximum.reduceat(masked[:, _BY_RESIDUE], _STARTS, axis=1)
    ahead = _ahead(plan, residues)
    best = float(ahead[-1, 0])
    if best < NEVER / 2:
        return None
    chosen, second = _backwards(plan, residues, ahead)
    summed = max(best, _summed(plan, masked))
    masked, allowed, chosen = masked[plan.as_read], plan.allowed[plan.as_read], chosen[plan.as_read]
    every = np.arange(len(masked))
    picked = np.where(chosen[:, None] == _RESIDUE, masked, 2 * NEVER).argmax(axis=1)
    twins = np.where(_ALIKE_WORTH[picked], masked, NEVER)
    twins[every, picked] = NEVER
    second = max(second, best + float((twins.max(axis=1) - masked[every, picked]).max()))
    free = float(masked.max(axis=1).sum())
    rows, width = likely.shape[:2]
    gained = every_gained = -handicap(layout)
    for row, column in state_columns(layout):
        here = row * width + column
        known = origin(masked[here : here + 3])
        picked[here : here + 3] = known.picked
        gained, every_gained = gained + known.gain, every_gained + known.every
    text = "".join(SYMBOLS[pick] for pick in picked)
    own = _own(likely.reshape(masked.shape), allowed, picked)
    return Decoded(
        tuple(text[i * width : (i + 1) * width] for i in range(rows)),
        best + gained,
        second + gained,
        summed + every_gained,
        free + gained,
        tuple(tuple(own[i * width : (i + 1) * width]) for i in range(rows)),
    )


def _own(likely: Floats, allowed: NDArray[np.bool_], picked: NDArray[np.intp]) -> list[float]:
    """How likely each picked symbol is by its looks (see Decoded)."""
    counted = ALIKE[picked] & ~allowed
    counted[np.arange(len(picked)), picked] = True
    told = np.logaddexp.reduce(np.where(counted, likely, NEVER), axis=1)
    return [float(value) for value in told]


def _ahead(plan: _Plan, residues: Floats) -> Floats:
    """The best way to each state before each place, and after the last (places + 1, 100)."""
    ahead = np.full((len(plan.steps) + 1, 100), NEVER)
    ahead[0, 0] = 0
    tops = residues.max(axis=1)
    for i, step in enumerate(plan.steps):
        if step is None:
            ahead[i + 1] = ahead[i] + tops[i]
        else:
            ways = ahead[i][step.before] + residues[i][:, None]
            ahead[i + 1] = np.where(step.comes, ways, NEVER).max(axis=0)
    return ahead


def _summed(plan: _Plan, masked: Floats) -> float:
    """The logarithm of the likelihood of all ways together."""
    tops = masked.max(axis=1)
    shares = np.add.reduceat(np.exp(masked - tops[:, None])[:, _BY_RESIDUE], _STARTS, axis=1)
    states = np.zeros(100)
    states[0] = 1
    wholes = shares.sum(axis=1)
    for i, step in enumerate(plan.steps):
        if step is None:
            continue
        states = shares[i] @ (states[step.before] * step.comes)
        wholes[i] = states.sum()
        if not wholes[i]:
            return NEVER
        states /= wholes[i]
    return float(tops.sum() + np.log(wholes).sum() + np.log(states[0])) if states[0] else NEVER


def _backwards(plan: _Plan, residues: Floats, ahead: Floats) -> tuple[NDArray[np.intp], float]:
    """The residues of the best way, and the score of the best way with any other residue."""
    after = np.full(100, NEVER)
    after[0] = 0
    ways = np.empty_like(residues)
    for i in range(len(plan.steps) - 1, -1, -1):
        step = plan.steps[i]
        if step is None:
            ways[i] = residues[i] + (ahead[i] + after).max()
            after = after + residues[i].max()
        else:
            told = np.where(step.may, residues[i][:, None] + after[step.onward], NEVER)
            ways[i] = (told + ahead[i]).max(axis=1)
            after = told.max(axis=0)
    chosen = ways.argmax(axis=1)
    ways[np.arange(len(ways)), chosen] = NEVER
    return chosen, float(ways.max())
