"""Where every field of every machine-readable zone stands (ICAO 9303, parts 4 to 7), as tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """The kinds of zones: five of ICAO's, and the French identity card of 1995–2021."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"
    MRV_A = "MRV-A"
    MRV_B = "MRV-B"
    IDFRA = "IDFRA"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line, counted from 1, both ends included, as the standard counts."""

    line: int
    first: int
    last: int

    def of(self, lines: tuple[str, ...]) -> str:
        """The text that stands there."""
        return lines[self.line - 1][self.first - 1 : self.last]

    def __str__(self) -> str:
        """For people: "line 2, 14–19"."""
        here = f"{self.first}" if self.first == self.last else f"{self.first}\u2013{self.last}"
        return f"line {self.line}, {here}"


@dataclass(frozen=True, slots=True)
class Guard:
    """A check digit at `at`, computed over the spans of `over` joined together."""

    name: str
    over: tuple[Span, ...]
    at: Span
    may_be_filler: bool = False
    """`<` is as good as 0 where all that is guarded is filler (9303-4 §4.2.2.2, note k)."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The shape of one format; `guards` do not repeat a document number longer than nine."""

    format: Format
    lines: int
    width: int
    codes: str
    fields: Mapping[str, Span]
    guards: tuple[Guard, ...]
    overflow: str | None = None
    """The field in which a document number longer than nine goes on (9303-5 §4.2.2, note j)."""
    years_valid: int = 11
    """The longest time that such a document may still be valid: dates its two-digit year."""


def _two_lines(width: int, optional_last: int) -> dict[str, Span]:
    return {
        "document_code": Span(1, 1, 2),
        "issuing_state": Span(1, 3, 5),
        "names": Span(1, 6, width),
        "document_number": Span(2, 1, 9),
        "nationality": Span(2, 11, 13),
        "birth_date": Span(2, 14, 19),
        "sex": Span(2, 21, 21),
        "expiry_date": Span(2, 22, 27),
        "optional_data": Span(2, 29, optional_last),
    }


_THREE = (
    Guard("document_number", (Span(2, 1, 9),), Span(2, 10, 10)),
    Guard("birth_date", (Span(2, 14, 19),), Span(2, 20, 20)),
    Guard("expiry_date", (Span(2, 22, 27),), Span(2, 28, 28)),
)


def _composite(last: int, at: int) -> Guard:
    return Guard("composite", (Span(2, 1, 10), Span(2, 14, 20), Span(2, 22, last)), Span(2, at, at))


TD3 = Layout(
    Format.TD3,
    lines=2,
    width=44,
    codes="P",
    fields=_two_lines(44, 42),
    guards=(
        *_THREE,
        Guard("optional_data", (Span(2, 29, 42),), Span(2, 43, 43), may_be_filler=True),
        _composite(43, 44),
    ),
)

MRV_A = Layout(Format.MRV_A, lines=2, width=44, codes="V", fields=_two_lines(44, 44), guards=_THREE)

MRV_B = Layout(Format.MRV_B, lines=2, width=36, codes="V", fields=_two_lines(36, 36), guards=_THREE)

TD2 = Layout(
    Format.TD2,
    lines=2,
    width=36,
    codes="ACI",
    fields=_two_lines(36, 35),
    guards=(*_THREE, _composite(35, 36)),
    overflow="optional_data",
    years_valid=50,
)

TD1 = Layout(
    Format.TD1,
    lines=3,
    width=30,
    codes="ACI",
    fields={
        "document_code": Span(1, 1, 2),
        "issuing_state": Span(1, 3, 5),
        "document_number": Span(1, 6, 14),
        "optional_data": Span(1, 16, 30),
        "birth_date": Span(2, 1, 6),
        "sex": Span(2, 8, 8),
        "expiry_date": Span(2, 9, 14),
        "nationality": Span(2, 16, 18),
        "optional_data_2": Span(2, 19, 29),
        "names": Span(3, 1, 30),
    },
    guards=(
        Guard("document_number", (Span(1, 6, 14),), Span(1, 15, 15)),
        Guard("birth_date", (Span(2, 1, 6),), Span(2, 7, 7)),
        Guard("expiry_date", (Span(2, 9, 14),), Span(2, 15, 15)),
        Guard(
            "composite",
            (Span(1, 6, 30), Span(2, 1, 7), Span(2, 9, 15), Span(2, 19, 29)),
            Span(2, 30, 30),
        ),
    ),
    overflow="optional_data",
    years_valid=50,
)

IDFRA = Layout(
    Format.IDFRA,
    lines=2,
    width=36,
    codes="I",
    fields={
        "document_code": Span(1, 1, 2),
        "issuing_state": Span(1, 3, 5),
        "surname": Span(1, 6, 30),
        "optional_data": Span(1, 31, 36),
        "document_number": Span(2, 1, 12),
        "given_names": Span(2, 14, 27),
        "birth_date": Span(2, 28, 33),
        "sex": Span(2, 35, 35),
    },
    guards=(
        Guard("document_number", (Span(2, 1, 12),), Span(2, 13, 13)),
        Guard("birth_date", (Span(2, 28, 33),), Span(2, 34, 34)),
        Guard("composite", (Span(1, 1, 36), Span(2, 1, 35)), Span(2, 36, 36)),
    ),
)

LAYOUTS: tuple[Layout, ...] = (TD3, MRV_A, IDFRA, TD2, MRV_B, TD1)


def layout_of(lines: tuple[str, ...]) -> Layout | None:
    """The layout whose shape and first letter these lines have, or None.

    The French card of 1995–2021 is known by the five symbols IDFRA on a 36-symbol line: the
    card that followed it is a TD1.
    """
    for layout in LAYOUTS:
        shape = (layout.width,) * layout.lines
        if tuple(len(line) for line in lines) != shape or lines[0][0] not in layout.codes:
            continue
        if layout is not IDFRA or lines[0].startswith("IDFRA"):
            return layout
    return None
