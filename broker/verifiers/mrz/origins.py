"""What is known of documents before one is seen: which states issue them, and in which shapes."""

from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.grammar import CODES, SYMBOLS
from broker.verifiers.mrz.layouts import LAYOUTS, Layout

Floats: TypeAlias = NDArray[np.float64]

STATE_FIELDS: Final = ("issuing_state", "nationality")

KNOWN: Final = float(np.log(100))
"""How much likelier (a logarithm) a code that exists is than one that no list has."""

_KNOWN_CODES: Final = np.array([[SYMBOLS.index(symbol) for symbol in code] for code in CODES])


@dataclass(frozen=True, slots=True)
class Origin:
    """The likeliest code at three places: its symbols, and two logarithms.

    `gain`: how much likelier it is than the likeliest three symbols; `every`: the same of all
    that may stand there together.
    """

    picked: tuple[int, ...]
    gain: float
    every: float


def origin(likely: Floats) -> Origin:
    """The code in `likely` (3, 37), of whose symbols those that may not stand are never likely."""
    top = likely.argmax(axis=1)
    free, every = float(likely.max(axis=1).sum()), float(np.logaddexp.reduce(likely, axis=1).sum())
    known = likely[np.arange(3), _KNOWN_CODES].sum(axis=1) + KNOWN
    best = int(known.argmax())
    total = np.logaddexp(every, np.logaddexp.reduce(known) + np.log1p(-np.exp(-KNOWN)))
    if known[best] < free:
        return Origin(tuple(map(int, top)), 0, float(total) - every)
    return Origin(
        tuple(map(int, _KNOWN_CODES[best])), float(known[best]) - free, float(total) - every
    )


@cache
def state_columns(layout: Layout) -> tuple[tuple[int, int], ...]:
    """Row and first column, from 0, of every state's code that no check digit binds."""
    spans = [layout.fields[name] for name in STATE_FIELDS if name in layout.fields]
    guarded = {(span.line, at) for g in layout.guards for span in g.over
               for at in range(span.first, span.last + 1)}  # fmt: skip
    return tuple((s.line - 1, s.first - 1) for s in spans if (s.line, s.first) not in guarded)


@cache
def handicap(layout: Layout) -> float:
    """What a format with fewer check digits than another of its shape has against it.

    Ten times as many zones are possible for each digit less, each of them so much rarer; that
    the digits of the other format happen to be right is as unlikely.
    """
    alike = [
        other for other in LAYOUTS if (other.lines, other.width) == (layout.lines, layout.width)
    ]
    return float(np.log(10)) * (max(len(o.guards) for o in alike) - len(layout.guards))
