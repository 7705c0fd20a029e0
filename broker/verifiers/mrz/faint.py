"""Which letters of names were seen least well: no check digit guards them, so a person must."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from broker.verifiers.mrz.answer import Sureness
from broker.verifiers.mrz.layouts import layout_of
from broker.verifiers.mrz.names import SEPARATOR
from broker.verifiers.mrz.zone import Zone

FAINT: Final = 999
"""Of a thousand: a letter less sure is worth a second look (decision 0088)."""

MOST: Final = 4
"""Letters to look at; who is shown more of them looks at none."""

CERTAIN: Final = 1000
_LETTER: Final = re.compile(r"[A-Z]<{0,2}")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter of the claim called `claim`, at `place` of its value; `sure` of a thousand."""

    claim: str
    place: int
    sure: int


def faint(zone: Zone, sure: Sureness) -> Mapping[str, tuple[int, ...]]:
    """Claim → the places in its value, from 0, of the letters that were seen least well.

    `sure` is what the reader told of every symbol of the zone, empty where it does not tell.
    """
    doubtful = [letter for letter in _letters(zone, sure) if letter.sure < FAINT]
    worst = sorted(doubtful, key=lambda letter: letter.sure)[:MOST]
    return {
        name: tuple(sorted(letter.place for letter in worst if letter.claim == name))
        for name in {letter.claim for letter in worst}
    }


def _letters(zone: Zone, sure: Sureness) -> Iterator[Letter]:
    """Each letter of the names, as sure as itself and the fillers next behind it.

    Where a filler is in doubt, a letter may be missing: people see that at the letter before.
    """
    layout = layout_of(zone.lines)
    if layout is None or "names" not in layout.fields or not sure:
        return
    span = layout.fields["names"]
    text = span.of(zone.lines)
    told = sure[span.line - 1][span.first - 1 : span.last]
    cut = len(text.partition(SEPARATOR)[0]) + len(SEPARATOR)
    for claim, start, end in (("family_name", 0, cut), ("given_name", cut, len(text))):
        for found in _LETTER.finditer(text, start, end):
            seen = min(told[found.start() : found.end()], default=CERTAIN)
            yield Letter(claim, found.start() - start, seen)
