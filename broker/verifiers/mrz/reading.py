"""Finds machine-readable zones in a picture: one function, behind which engines can change."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from time import monotonic

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from broker.verifiers.mrz.answer import Answer, Cause
from broker.verifiers.mrz.spelling import Lines, has_rows, holds, share_holding, zone_in
from broker.verifiers.mrz.strips import Strip, strips
from broker.verifiers.mrz.tesseract import engine_available, text_of
from broker.verifiers.mrz.vote import vote

ReadMrz = Callable[[Image.Image], tuple[Lines, ...]]
"""The different zones in an upright-or-not picture, best first: none, one, or of two documents.

Lines are of the zone's alphabet and of a known shape; their check digits may fail. An engine
never raises for what a picture shows.
"""

READING_WIDTH = 1400
"""Pixels to which a strip is brought: symbols of 44 then stand some 30 pixels apart."""

QUARTERS = (0, 90)
"""Turns that are tried, in degrees; half turns show by `>` standing where `<` should."""

PLAUSIBLE = 0.5
"""The share of check digits that must hold before what was read counts as a zone at all."""

_DOUBTFUL = re.compile(r"K(?=<)|(?<=<)K|(?<=<)[A-Z](?=<)")

Rendering = Callable[[Image.Image], Image.Image]
Place = tuple[Image.Image, Strip]


@dataclass(frozen=True, slots=True)
class Found:
    """A zone, and the strip of the turned picture that it stood in."""

    lines: Lines
    strip: Strip
    turned: Image.Image


@dataclass(frozen=True, slots=True)
class PassportEye:
    """The first engine: PassportEye finds the strips, tesseract (at `program`) reads them."""

    program: str
    seconds: float = 20
    """What one picture may take, all tries together."""

    def __call__(self, picture: Image.Image) -> tuple[Lines, ...]:
        """See ReadMrz."""
        until = monotonic() + self.seconds
        first = self._best(picture.convert("L"), RENDERINGS, until)
        if first is None:
            return ()
        second = self._best(_without(first), RENDERINGS[:1], until)
        if second is None or second.lines == first.lines:
            return (first.lines,)
        if share_holding(second.lines) < PLAUSIBLE:
            return (first.lines,)
        return (first.lines, second.lines)

    def _best(
        self, gray: Image.Image, renderings: tuple[Rendering, ...], until: float
    ) -> Found | None:
        """The first zone that holds in two renderings, else the best of all that were seen.

        No check digit guards names: two renderings that agree are what guards them here.
        """
        seen: list[Found] = []
        for found in self._tries(gray, renderings, until):
            agreed = any(found.lines == other.lines for other in seen)
            if agreed and holds(found.lines) and not _doubts(found):
                return found
            seen.append(found)
        return max(seen, key=_credit, default=None)

    def _tries(
        self, gray: Image.Image, renderings: tuple[Rendering, ...], until: float
    ) -> Iterator[Found]:
        """Every zone that any try yields: the cheap renderings everywhere before the dear ones."""
        turned = [gray.rotate(turn, expand=True) for turn in QUARTERS]
        places = [(whole, strip) for whole in turned for strip in strips(whole)]
        for rendering in renderings:
            again: list[Place] = []
            best = 0.0
            for whole, strip in places:
                text = self._upright_text(rendering(_level(strip.cut(whole))), until)
                lines = zone_in(text)
                best = max(best, share_holding(lines or ()))
                if lines is not None:
                    yield Found(lines, strip, whole)
                if has_rows(text) or (rendering is _plain and best < PLAUSIBLE):
                    again.append((whole, strip))
                if best == 1:
                    # Here it stands: the other places are not worth another look.
                    again = [(whole, strip)]
                    break
            places = again

    def _upright_text(self, strip: Image.Image, until: float) -> str:
        """The text of a level strip, the right way up or upside down."""
        text = self._text(strip, until)
        if text.count(">") > text.count("<"):
            text = self._text(strip.rotate(180), until)
        return text

    def _text(self, strip: Image.Image, until: float) -> str:
        left = until - monotonic()
        return text_of(self.program, strip, left) if left > 0 else ""


def read(pictures: Sequence[Image.Image]) -> Answer:
    """What the first engine makes of pictures of one document; see answer.Read."""
    return vote([_answer(_engine()(picture)) for picture in pictures])


@cache
def _engine() -> PassportEye:
    return PassportEye(engine_available())


def _answer(zones: tuple[Lines, ...]) -> Answer:
    if zones and not holds(zones[0]):
        return Answer(cause=Cause.UNREADABLE)
    return Answer(zones, None if zones else Cause.NOT_FOUND)


def _credit(found: Found) -> tuple[float, int]:
    """What a zone is worth: digits that hold, then few of the K that fillers are misread as."""
    return share_holding(found.lines), -_doubts(found)


def _doubts(found: Found) -> int:
    return len(_DOUBTFUL.findall("".join(found.lines)))


def _level(strip: Image.Image) -> Image.Image:
    height = max(1, round(strip.height * READING_WIDTH / strip.width))
    return strip.resize((READING_WIDTH, height), Image.Resampling.LANCZOS)


def _plain(strip: Image.Image) -> Image.Image:
    return strip


def _even(strip: Image.Image) -> Image.Image:
    """The strip with its light made even: paper white, ink black."""
    paper = strip.filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.GaussianBlur(14))
    ink = ImageChops.subtract(paper, strip)
    dark = max(1.0, float(np.percentile(np.asarray(ink), 97)))
    return ImageChops.invert(ink.point(lambda level: min(255, level * 220 / dark)))


def _small(strip: Image.Image) -> Image.Image:
    return _even(strip).resize((strip.width * 5 // 7, strip.height * 5 // 7))


RENDERINGS: tuple[Rendering, ...] = (_plain, _even, _small)
"""How a strip is shown to the reader, in the order of what they have been worth."""


def _without(found: Found) -> Image.Image:
    """The picture with what was found painted over, so that something else can be."""
    rest = found.turned.copy()
    # Wider than the strip: a remnant of the same zone must not pass for another document.
    corners = found.strip.corners(grown=1.15)
    ImageDraw.Draw(rest).polygon(corners, fill=int(np.median(np.asarray(rest))))
    return rest
