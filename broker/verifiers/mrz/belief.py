"""When a reading is believed: the one place that decides, and by figures measured on pictures."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.errors import EvidenceRejected
from broker.verifiers.mrz.lattice import Decoded
from broker.verifiers.mrz.zone import parse

ANY_DAY: Final = date(2030, 1, 1)
"""Whether a zone can exist does not hang on the day; the verifier asks again with today's."""


@dataclass(frozen=True, slots=True)
class Belief:
    """The least that a reading must bring; the names of checks it failed are `doubts`.

    `share`: the logarithm of its share among all readings that the check digits allow.
    `cost`: what check digits may have corrected; a correction is a guess unless it is cheap.
    `faintest`: the least likely symbol; no check digit guards names, this does.
    """

    share: float = -0.10
    cost: float = 0.7
    faintest: float = -0.7

    def doubts(self, decoded: Decoded) -> tuple[str, ...]:
        """Why the reading is not believed; empty if it is."""
        found = (
            ("share", decoded.share < self.share),
            ("cost", decoded.cost > self.cost),
            ("faintest", faintest(decoded) < self.faintest),
            ("impossible", not is_possible(decoded.lines)),
        )
        return tuple(name for name, doubtful in found if doubtful)


BELIEF: Final = Belief()
"""Calibrated on generated pictures of seeds that no model was trained on: models/README.md."""


def faintest(decoded: Decoded) -> float:
    """The logarithm of the likelihood of the symbol that can be seen least well."""
    return min(min(row) for row in decoded.likely)


def is_possible(lines: tuple[str, ...]) -> bool:
    """Whether a document could say so: dates that exist, names that are names."""
    try:
        return parse(lines, ANY_DAY).holds()
    except EvidenceRejected:
        return False


def pooled(looks: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    """Several looks at the same places as one: the logarithm of their mean likelihood."""
    mean: NDArray[np.float64] = np.logaddexp.reduce(np.stack(looks)) - np.log(len(looks))
    return mean
