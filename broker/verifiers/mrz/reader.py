"""Reads the zones of documents in whole photographs: the default engine, all of it ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image

from broker.verifiers.mrz.advice import advice, is_cut_off
from broker.verifiers.mrz.answer import Answer, Cause, Lines, Sureness
from broker.verifiers.mrz.belief import BELIEF, BEYOND_DOUBT, is_possible, pooled
from broker.verifiers.mrz.lattice import Decoded, decode
from broker.verifiers.mrz.levels import Levels
from broker.verifiers.mrz.locate import SIDE, Group, locate
from broker.verifiers.mrz.recognise import Seen
from broker.verifiers.mrz.second import contradicts
from broker.verifiers.mrz.view import ROWS, WIDTHS, Floats, View, look, look_again
from broker.verifiers.mrz.vote import vote

SIDES: Final = (SIDE, 2 * SIDE)
"""Sizes at which rows are looked for, one after the other."""

PLAIN: Final = -0.1
"""A zone as clear as this, all rows of it seen, has been found: finding it again is no help."""

LARGE: Final = 6.0
"""The same of a zone whose symbols are so many pixels apart where rows are looked for."""

TRIES: Final = 3
"""Places of a picture that are looked at."""

LOOKS: Final = (((0.0, 1.12),), ((1.6, 0.97), (0.0, 0.9)), ((-1.6, 1.05), (0.0, 1.0)))
"""Pixels down and zoom of further looks, as unlike one another as still shows the row well.

Each round of them is for what is not beyond doubt after the rounds before.
"""

GOES_ON: Final = 0.15
"""Likelihood of print beyond the ends from which rows of 36 are longer than they were taken for.

Without it a visa of 44 symbols whose last eight are fillers is a visa of 36: no check digit tells.
Each of the next places must look like print: one may be the edge of the page.
"""

NAMES_GO_ON: Final = 0.5
"""The same before the third row of cards: names that begin one symbol late are names as well."""

RAGGED: Final = 0.6
"""Symbols by which the middle one of three rows may begin beside the line through the others."""

LIKELY: Final = 3.0
"""Doubts and corrections (logarithms) up to which a zone not believed is one all the same."""

HOPELESS: Final = 12.0
"""Doubts and corrections (logarithms) beyond which further looks help nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One zone of a picture: what is most likely there, how it was seen, and why not believed."""

    decoded: Decoded
    view: View
    doubts: tuple[str, ...]

    @property
    def lines(self) -> Lines:
        """The most likely zone, believed or not."""
        return self.decoded.lines

    @property
    def is_likely(self) -> bool:
        """Whether it is a zone of a document, of which one or two symbols are not sure."""
        return self.decoded.cost - self.decoded.share < LIKELY and is_possible(self.lines)

    @property
    def is_hopeless(self) -> bool:
        """Whether it is no zone at all, however clear its print."""
        return self.decoded.cost - self.decoded.share > HOPELESS

    @property
    def is_whole(self) -> bool:
        """Whether the finder saw every row, and none had to be looked for."""
        return all(row.sure > 0 for row in self.view.group.rows)

    @property
    def sure(self) -> Sureness:
        """See Answer."""
        return tuple(
            tuple(min(1000, int(1000 * np.exp(likely))) for likely in row)
            for row in self.decoded.likely
        )


def read(pictures: Sequence[Image.Image]) -> Answer:
    """What pictures of one document show together (see answer.Read)."""
    # Requests are served side by side: threads of one picture get in each other's way.
    cv2.setNumThreads(1)
    return vote([read_one(picture) for picture in pictures])


def read_one(picture: Image.Image) -> Answer:
    """What one picture shows, or what to change in the next."""
    seen = Levels(np.asarray(picture if picture.mode == "L" else picture.convert("L")))
    groups: tuple[Group, ...] = ()
    best: Reading | None = None
    for side in SIDES:
        groups = locate(seen, side) or groups
        readings = [r for group in groups[:TRIES] if (r := examine(seen, look(seen, group)))]
        if any(not reading.doubts for reading in readings):
            return _believed(seen, readings)
        best = max((best, *readings), key=_clearness)
        if best is not None and _is_placed(best, side / max(seen.shape)):
            break
    return Answer(cause=advice(seen.gray, groups, best.view if best else None))


def _believed(picture: Levels, readings: Sequence[Reading]) -> Answer:
    """The zones that are believed, unless something speaks against them."""
    believed = {reading.lines: reading for reading in readings if not reading.doubts}
    # A second document of which one symbol is not sure is a second document.
    is_alone = not any(r.is_likely for r in readings if r.lines not in believed)
    if not is_alone or any(_is_contradicted(picture, found) for found in believed.values()):
        return Answer(cause=Cause.UNSURE)
    return Answer(tuple(believed), sure=tuple(r.sure for r in believed.values()))


def _is_placed(found: Reading, scale: float) -> bool:
    """Whether the zone has been found as well as it can be: clear or large, or but for a symbol.

    Print that is clear and no zone at all, a page under the document, may have hidden the zone.
    """
    if found.is_hopeless:
        return False
    is_plain = _clearness(found) > PLAIN or found.view.pitch * scale > LARGE
    is_clear = float(found.view.seen.clear.min()) > PLAIN
    return found.is_likely or is_clear or (found.is_whole and is_plain)


def _clearness(found: Reading | None) -> float:
    return float(found.view.seen.clear.mean()) if found else -np.inf


def _is_contradicted(picture: Levels, found: Reading) -> bool:
    """Whether a reading that is not beyond doubt is one thing to us and another to tesseract."""
    if not BEYOND_DOUBT.doubts(found.decoded):
        return False
    return contradicts(picture, found.view.group, found.decoded)


def examine(picture: Levels, view: View | None) -> Reading | None:
    """The zone of one view, looked at again until it is beyond doubt, or often enough.

    What changes with a pixel's shift or a tenth of its size was never there.
    """
    if view is None:
        return None
    if len(view.decoded.lines[0]) == WIDTHS[1] and is_cut_off(picture.gray, view.group):
        # The rest of a longer zone may be beyond the edge; 30 and 44 symbols are all there are.
        return Reading(view.decoded, view, ("cut_off",))
    looks: list[Floats] = []
    decoded = view.decoded
    if decoded.cost - decoded.share > HOPELESS:
        return Reading(decoded, view, BELIEF.doubts(decoded) or ("hopeless",))
    for more in LOOKS:
        seen = [look_again(picture, view, shift, zoom) for shift, zoom in more]
        if any(map(goes_on, seen)) or is_ragged(view):
            return Reading(decoded, view, ("goes_on",))
        looks += [look.likely for look in seen]
        # The first look is of the smaller network: beside many of the larger one it only blurs.
        decoded = decode(pooled(looks if len(looks) > 1 else [view.seen.likely, *looks])) or decoded
        if not BEYOND_DOUBT.doubts(decoded):
            break
    return Reading(decoded, view, BELIEF.doubts(decoded, float(view.seen.clear.mean())))


def goes_on(seen: Seen) -> bool:
    """Whether there is print where the rows should be over and nothing else would tell."""
    rows, width = seen.likely.shape[:2]
    if width == WIDTHS[1]:
        return float(seen.beyond.mean(axis=0).min(axis=-1).max()) > GOES_ON
    return rows == ROWS[WIDTHS[0]] and float(seen.beyond[-1, 0, 0]) > NAMES_GO_ON


def is_ragged(view: View) -> bool:
    """Whether one of three rows begins too early or too late for the two others."""
    if len(view.group.rows) < ROWS[WIDTHS[0]]:
        return False
    first, middle, last = (row.points[0] for row in view.group.rows)
    aside = (first + last) / 2 - middle
    return abs(float(aside @ view.group.rows[1].along)) > RAGGED * view.pitch
