"""Which symbols may stand at each place of each zone, and what guards it (ICAO 9303, 3 to 7).

The parser refuses by this table and a reader decodes by it, so the two cannot differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from broker.verifiers.mrz.layouts import Format, Guard, Layout, Span
from broker.verifiers.mrz.states import STATES

FILLER: Final = "<"
DIGITS: Final = "0123456789"
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SYMBOLS: Final = DIGITS + LETTERS + FILLER
"""The 37 symbols of a zone; the index of each but the filler is its value in a check digit."""

CODES: Final = frozenset(code.ljust(3, FILLER) for code in STATES)
"""What may stand in a field of a state, fillers on: "MAR", "D<<"."""

CARDS: Final = frozenset({Format.TD1, Format.TD2, Format.IDFRA})
"""Formats whose dates of expiry and nationalities may be left open."""

_NAMES: Final = (LETTERS, LETTERS + FILLER)
_BIRTH: Final = tuple(digits + FILLER for digits in (DIGITS, DIGITS, "01", DIGITS, "0123", DIGITS))
_EXPIRY: Final = (DIGITS, DIGITS, "01", DIGITS, "0123", DIGITS)
"""Year, month and day, two symbols each."""

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "document_code": (LETTERS, LETTERS + FILLER),
    "issuing_state": _NAMES,
    "names": _NAMES,
    "surname": _NAMES,
    "given_names": (LETTERS + FILLER,),
    "document_number": (DIGITS + LETTERS, SYMBOLS),
    "nationality": _NAMES,
    "birth_date": _BIRTH,
    "sex": ("MFX" + FILLER,),
    "expiry_date": _EXPIRY,
    "optional_data": (SYMBOLS,),
    "optional_data_2": (SYMBOLS,),
}
"""Field → what may stand at its first place, its second… and, the last of these, all others."""

_OF_CARDS: Final[Mapping[str, tuple[str, ...]]] = {
    # 9303-5 §4.2.2: the second symbol is the issuer's choice; the United States have an A3.
    "document_code": (LETTERS, SYMBOLS),
    "nationality": (LETTERS + FILLER,),
    "expiry_date": _BIRTH,
}

_OF_FRANCE: Final[Mapping[str, tuple[str, ...]]] = {
    # Year and month, department (2A and 2B are Corsica), count.
    "document_number": (*(DIGITS,) * 4, *(DIGITS + LETTERS,) * 3, DIGITS),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One place: `symbols` may stand there; it belongs to `field`, or is the digit of `digit_of`.

    `guards` are names of check digits computed over it. Where there are none, nothing but the
    picture itself tells a misread symbol from a right one.
    """

    symbols: str
    field: str | None
    digit_of: str | None
    guards: tuple[str, ...]


@cache
def cells(layout: Layout) -> tuple[tuple[Cell, ...], ...]:
    """Every place of the zone, line by line."""
    return tuple(
        tuple(_cell(layout, Span(line, place, place)) for place in range(1, layout.width + 1))
        for line in range(1, layout.lines + 1)
    )


def misfits(layout: Layout, lines: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Line and place, from 1, of every symbol that cannot stand where it does."""
    for line, (row, grammar) in enumerate(zip(lines, cells(layout), strict=True), 1):
        for place, (symbol, cell) in enumerate(zip(row, grammar, strict=True), 1):
            if symbol not in cell.symbols:
                yield line, place


def twins(symbol: str) -> str:
    """Every symbol that check digits cannot tell from this one: of the same value modulo 10.

    They are 0, A, K, U and the filler; 1, B, L and V; and so on.
    """
    return "".join(other for other in SYMBOLS if value(other) % 10 == value(symbol) % 10)


def value(symbol: str) -> int:
    """What a symbol is worth in a check digit: 0–35, the filler 0. Raises ValueError for others."""
    return 0 if symbol == FILLER else SYMBOLS.index(symbol)


def _cell(layout: Layout, here: Span) -> Cell:
    guards = tuple(g.name for g in layout.guards if any(_in(here, span) for span in g.over))
    for guard in layout.guards:
        if _in(here, guard.at):
            return Cell(_digit(layout, guard), None, guard.name, guards)
    name, span = next((n, s) for n, s in layout.fields.items() if _in(here, s))
    return Cell(_symbols(layout, name, here.first - span.first), name, None, guards)


def _in(here: Span, span: Span) -> bool:
    return here.line == span.line and span.first <= here.first <= span.last


def _digit(layout: Layout, guard: Guard) -> str:
    goes_on = layout.overflow is not None and guard.name == "document_number"
    return DIGITS + FILLER if guard.may_be_filler or goes_on else DIGITS


def _symbols(layout: Layout, name: str, place: int) -> str:
    table = _FIELDS
    if layout.format in CARDS:
        table = {**table, **_OF_CARDS}
    if layout.format is Format.IDFRA:
        table = {**table, **_OF_FRANCE}
    places = table[name]
    if name == "document_code" and place == 0:
        return layout.codes
    return places[min(place, len(places) - 1)]
