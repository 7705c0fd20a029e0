"""When a reading is believed: the one place that decides, and by figures measured on pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.errors import EvidenceRejected
from broker.verifiers.mrz.bindings import COMPOSITE
from broker.verifiers.mrz.grammar import cells
from broker.verifiers.mrz.lattice import Decoded
from broker.verifiers.mrz.layouts import layout_of
from broker.verifiers.mrz.zone import parse

ANY_DAY: Final = date(2030, 1, 1)
"""Whether a zone can exist does not hang on the day; the verifier asks again with today's."""


SHARPER: Final = 1.4
"""Fitted on generated pictures of seeds that no model was trained on: models/README.md."""


@dataclass(frozen=True, slots=True)
class Belief:
    """The least that a reading must bring; the names of checks it failed are `doubts`.

    `share`: the logarithm of its share among all readings that the check digits allow, and of how
    clear the zone is at first sight: the vaguer all of it, the surer a reading must be.
    `cost`: what check digits may have corrected; a correction is a guess unless it is cheap.
    `faintest`: the least likely symbol that no check digit guards, those of names above all; by
    its looks alone, among all symbols: that no digit stands in a name is in the share already.
    `looks`: the least likely symbol of all. Where a letter is printed in a date, the grammar puts
    what may stand there in its place, and no check digit need be the wiser.
    """

    share: float = -0.085
    cost: float = 1.0
    faintest: float = -1.8
    looks: float = -2.0

    def doubts(self, decoded: Decoded, clear: float = 0) -> tuple[str, ...]:
        """Why the reading is not believed; empty if it is.

        `clear` is the mean of the likeliest symbols at first sight (a logarithm).
        """
        found = (
            ("share", decoded.share + clear < self.share),
            ("cost", decoded.cost > self.cost),
            ("faintest", faintest(decoded) < self.faintest),
            ("looks", min(map(min, decoded.likely)) < self.looks),
            ("impossible", not is_possible(decoded.lines)),
        )
        return tuple(name for name, doubtful in found if doubtful)


BELIEF: Final = Belief()
"""Calibrated on generated pictures of seeds that no model was trained on: models/README.md."""

BEYOND_DOUBT: Final = Belief(share=-0.01, cost=0.1, faintest=-0.15)
"""Readings that need no further look, and about which another reader need not be asked."""


def faintest(decoded: Decoded) -> float:
    """The likelihood (a logarithm) of the symbol that can be seen least well and has no own guard.

    The composite digit guards so much that it guards nothing of this closely.
    """
    layout = layout_of(decoded.lines)
    if layout is None:
        return -np.inf
    return min(
        likely
        for row, told in zip(cells(layout), decoded.likely, strict=True)
        for cell, likely in zip(row, told, strict=True)
        if cell.digit_of is None and not set(cell.guards) - {COMPOSITE}
    )


def is_possible(lines: tuple[str, ...]) -> bool:
    """Whether a document could say so: dates that exist, names that are names."""
    try:
        return parse(lines, ANY_DAY).holds()
    except EvidenceRejected:
        return False


def pooled(looks: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Several looks at the same places as one: their mean, sharpened to what the looks are worth.

    One look doubts more than it errs; by SHARPER, readings that claim to be right nine times of
    ten are right nine times of ten.
    """
    mean: NDArray[np.float64] = np.mean(looks, axis=0) * SHARPER
    return mean - np.asarray(np.logaddexp.reduce(mean, axis=-1, keepdims=True))
