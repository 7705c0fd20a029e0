"""Tells which symbol each place of a row may hold, and how likely each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.network import tell_closely, tell_symbols

Floats: TypeAlias = NDArray[np.float64]

FINER: Final = 2
"""Frames are halved, so that places fall where the symbols are."""

PIXELS: Final = 2
"""Pixels of a strip to one half frame."""

PITCH: Final = 9
STEPS: Final = range(6, 13)
"""Half frames from one symbol to the next: as they should be, and as they may be."""

SPACINGS: Final = range(5, 17)
"""Half frames from one symbol to the next where nobody knows yet."""

REPEATS: Final = range(SPACINGS[0], 2 * SPACINGS[-1] + 1)
CLEARLY: Final = 0.7
"""How well, against the best, the smallest distance must repeat."""

MOST: Final = 47
"""Symbols to the row that are counted to."""

STIFFNESS: Final = 0.12
_STEPS: Final = np.array(STEPS)
_STIFF: Final = STIFFNESS * (_STEPS - PITCH) ** 2
FAINTEST: Final = -4.0
CORE: Final = 5
"""Half frames that a symbol fills."""

BEYOND: Final = 3
"""Places beyond the ends of a row at which is looked whether it goes on."""

STRAY: Final = 2
"""Half frames by which a place may differ from where its neighbours say it stands."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What rows look like, cut into places.

    `likely` (rows, places, 37): the logarithm of each symbol's likelihood. `centres` (rows,
    places): where the symbols stand, in pixels of the strip. `beyond` (rows, 2, BEYOND): how likely
    symbols are one place and more before the first, and after the last.
    """

    likely: Floats
    centres: Floats
    beyond: Floats

    @property
    def clear(self) -> Floats:
        """Of each row: the mean logarithm of its likeliest symbols; 0 if all are sure."""
        clear: Floats = self.likely.max(axis=2).mean(axis=1)
        return clear


def frames(strips: NDArray[np.float32], *, closely: bool = False) -> Floats:
    """Strips (rows, high, wide) to log-likelihoods (rows, half frames, 38), the gap's last."""
    tell = tell_closely if closely else tell_symbols
    told = tell(strips[:, None]).astype(np.float64).transpose(0, 2, 1)
    many = told.shape[1]
    at = np.clip((np.arange(many * FINER) - 0.5) / FINER, 0, many - 1)
    low = np.floor(at).astype(int)
    high, part = np.minimum(low + 1, many - 1), (at - low)[None, :, None]
    return _log_softmax(told[:, low] * (1 - part) + told[:, high] * part)


def spacing(likely: Floats) -> float:
    """Half frames from one symbol to the next, as the gaps between them repeat."""
    gain = _gain(likely)
    gain = gain - gain.mean(axis=1, keepdims=True)
    # What repeats every seven repeats every fourteen as well, but not the other way round.
    alike = {lag: float((gain[:, lag:] * gain[:, :-lag]).mean()) for lag in REPEATS}
    again = np.array([alike[lag] + alike[2 * lag] for lag in SPACINGS])
    return float(SPACINGS[int(np.argmax(again >= CLEARLY * again.max()))])


def misfit(likely: Floats, counts: Sequence[int]) -> Floats:
    """How ill each row's print divides into so many symbols (rows, counts); 0 could not be better.

    A symbol too few leaves print over, one too many needs print where there is none.
    """
    best = _chains(np.maximum(_gain(likely), FAINTEST), MOST).max(axis=2).T
    lost: Floats = best.max(axis=1, keepdims=True) - best[:, np.array(counts) - 1]
    return lost


def cut(likely: Floats, places: int) -> Seen:
    """The half frames cut into `places` symbols, about evenly apart, each row by itself."""
    at = _centres(_gain(likely), places)
    smooth = at @ _smoothing(places)
    # Evenly printed symbols stand where their neighbours say, also where one cannot be seen.
    at = np.where(np.abs(smooth - at) > STRAY, smooth, at).clip(1, likely.shape[1] - 2)
    near = np.round(at).astype(int)[:, :, None] + np.arange(-1, 2)
    told = likely[np.arange(len(likely))[:, None, None], near, :-1].mean(axis=2)
    return Seen(_log_softmax(told), at * PIXELS, _beyond(likely, at))


@cache
def _smoothing(places: int) -> Floats:
    """What turns as many numbers into the cubic curve that lies nearest to them."""
    basis = np.polynomial.legendre.legvander(np.linspace(-1, 1, places), 3)
    smoothing: Floats = basis @ np.linalg.pinv(basis)
    return smoothing


def _beyond(likely: Floats, at: Floats) -> Floats:
    """How likely print is where the next symbols would stand if there were more of them."""
    away: Floats = np.arange(1, BEYOND + 1, dtype=np.float64) * PITCH
    next_ones = np.stack((at[:, :1] - away, at[:, -1:] + away), axis=1)
    near = np.round(next_ones).astype(int)[..., None] + np.arange(-1, 2)
    near = near.clip(0, likely.shape[1] - 1)
    told = likely[np.arange(len(likely))[:, None, None, None], near, :-1].mean(axis=3)
    beyond: Floats = np.exp(told.max(axis=-1))
    return beyond


def _log_softmax(logits: Floats) -> Floats:
    top = logits.max(axis=-1, keepdims=True)
    normal: Floats = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return normal


def _gain(likely: Floats) -> Floats:
    """How much likelier print is than a gap (rows, half frames): clutter is like no one symbol."""
    gap = np.maximum(likely[:, :, -1], FAINTEST)
    gain: Floats = np.maximum(likely[:, :, :-1].max(axis=2), FAINTEST) - gap
    return gain


def _centres(gain: Floats, places: int) -> Floats:
    """The likeliest centres (rows, places), in half frames; `gain` as of _gain."""
    chains = _chains(gain, places)
    every = np.arange(len(gain))
    at = np.zeros((len(gain), places))
    here = chains[-1].argmax(axis=1)
    for i in range(places - 1, 0, -1):
        at[:, i] = here
        before = np.maximum(here[:, None] - _STEPS, 0)
        step = (chains[i - 1][every[:, None], before] - _STIFF).argmax(axis=1)
        here = before[every, step]
    at[:, 0] = here
    return at - STEPS[-1]


def _chains(gain: Floats, most: int) -> Floats:
    """How good chains of 1 to `most` symbols about evenly apart are, by dynamic programming.

    By number of symbols, row, and the half frame at which the last one stands (most, rows,
    half frames); before the first half frame are as many as the longest step, where none may be.
    """
    rows, many = gain.shape
    core = np.stack([np.convolve(row, np.ones(CORE), "same") for row in gain])
    chains = np.full((most, rows, STEPS[-1] + many), -np.inf)
    chains[0, :, STEPS[-1] :] = core
    # Of every step, the longest first: what stands so far before (most, rows, steps, half frames).
    before = np.lib.stride_tricks.sliding_window_view(chains, many, axis=2)[:, :, : len(STEPS)]
    ways = np.empty((rows, len(STEPS), many))
    for i in range(1, most):
        np.subtract(before[i - 1], _STIFF[::-1, None], out=ways)
        np.add(core, ways.max(axis=1), out=chains[i, :, STEPS[-1] :])
    return chains
