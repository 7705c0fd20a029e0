"""The check digits of machine-readable zones (ICAO 9303-3 §4.9)."""

from collections.abc import Iterator
from dataclasses import dataclass

from broker.identity.evidence import Outcome
from broker.verifiers.mrz.layouts import Guard, Layout

WEIGHTS = (7, 3, 1)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FILLER = "<"
NUMBER = "document_number"


@dataclass(frozen=True, slots=True)
class DigitCheck:
    """What became of one check digit: `name` is the field it guards, or "composite"."""

    name: str
    place: str
    expected: str
    found: str
    outcome: Outcome


def check_digit(text: str) -> str:
    """The digit that guards `text`: the sum of values by weights 7, 3, 1, modulo 10.

    A–Z are worth 10–35 and the filler 0, so symbols ten or twenty apart (0, A, K, U and the
    filler; 1, B, L, V…) can stand for one another unseen: no check digit tells them apart.
    Raises ValueError when a symbol is not of the zone's alphabet.
    """
    values = (0 if symbol == FILLER else ALPHABET.index(symbol) for symbol in text)
    return str(sum(v * WEIGHTS[i % 3] for i, v in enumerate(values)) % 10)


def check_digits(layout: Layout, lines: tuple[str, ...]) -> tuple[DigitCheck, ...]:
    """The outcome of every check digit of the zone, in the order of the layout."""
    return tuple(_checked(layout, lines))


def long_number(layout: Layout, lines: tuple[str, ...]) -> str | None:
    """The document number and its check digit if it overflows its nine places, else None.

    The check digit's place then holds a filler, and the optional field begins with the rest of
    the number, the check digit and a filler (9303-5 §4.2.2 note j, 9303-6 §4.2.2 note j).
    """
    guard = next(g for g in layout.guards if g.name == NUMBER)
    if layout.overflow is None or guard.at.of(lines) != FILLER:
        return None
    rest = layout.fields[layout.overflow].of(lines).split(FILLER)[0]
    return layout.fields[NUMBER].of(lines) + rest if len(rest) > 1 else None


def _checked(layout: Layout, lines: tuple[str, ...]) -> Iterator[DigitCheck]:
    long = long_number(layout, lines)
    for guard in layout.guards:
        guarded = "".join(span.of(lines) for span in guard.over)
        found, place = guard.at.of(lines), str(guard.at)
        if guard.name == NUMBER and long is not None and layout.overflow is not None:
            guarded, found = long[:-1], long[-1]
            start = layout.fields[layout.overflow]
            at = start.first + len(long) - len(layout.fields[NUMBER].of(lines)) - 1
            place = f"line {start.line}, {at}"
        expected = check_digit(guarded)
        holds = found == expected or _empty(guard, guarded, found)
        yield DigitCheck(guard.name, place, expected, found, Outcome.of(holds))


def _empty(guard: Guard, guarded: str, found: str) -> bool:
    return guard.may_be_filler and found == FILLER and not guarded.strip(FILLER)
