"""Machine-readable zones, parsed whole: TD1, TD2, TD3, MRV-A, MRV-B (ICAO 9303, parts 3 to 7)."""

import re
from dataclasses import dataclass
from datetime import date

from broker.errors import EvidenceRejected
from broker.identity.evidence import Outcome
from broker.verifiers.mrz.check_digits import (
    FILLER,
    NUMBER,
    DigitCheck,
    check_digits,
    long_number,
)
from broker.verifiers.mrz.dates import PartialDate, parse_birth, parse_expiry
from broker.verifiers.mrz.grammar import CARDS, misfits
from broker.verifiers.mrz.layouts import Format, Layout, layout_of
from broker.verifiers.mrz.names import Names, parse_names, spaced

UNREADABLE = "mrz_unreadable"
NO_EXPIRY = FILLER * 6
_ALPHABET = re.compile(r"[A-Z0-9<]+")
_STATE = re.compile(r"[A-Z]{3}|D<<")
_STATE_OR_NONE = re.compile(r"[A-Z]{3}|D<<|<<<")

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it stands: `text` with its fillers, `place` such as "line 2, 14–19"."""

    name: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Zone:
    """All that a zone says. Its arithmetic may fail: ask `holds` before believing any of it.

    Codes are without fillers ("P", "D"); `sex` is M, F, X or None where it is unspecified;
    `nationality` and `expiry_date` are None on cards that leave them open. `optional_data` is
    what the issuer chose to add, "" if nothing.
    """

    format: Format
    lines: Lines
    fields: tuple[Field, ...]
    checks: tuple[DigitCheck, ...]
    document_code: str
    issuing_state: str
    document_number: str
    nationality: str | None
    birth_date: PartialDate
    sex: str | None
    expiry_date: date | None
    names: Names
    optional_data: tuple[str, ...]

    def holds(self) -> bool:
        """Whether every check digit of the zone is right."""
        return all(check.outcome is Outcome.PASSED for check in self.checks)

    def place(self, name: str) -> str:
        """Where the field called `name` stands: "line 2, 14–19"."""
        return next(field.place for field in self.fields if field.name == name)


def parse(lines: Lines, today: date) -> Zone:
    """The zone that `lines` are, its check digits tried; `today` dates two-digit years.

    Raises EvidenceRejected when they are no zone: a shape, symbol, date or name that no
    document has.
    """
    layout = layout_of(lines) if all(map(_ALPHABET.fullmatch, lines)) and lines else None
    if layout is None:
        raise EvidenceRejected(UNREADABLE, "no known shape")
    try:
        return _parsed(layout, lines, today)
    except ValueError as error:
        # The message would repeat what the document says: only the kind of error may leave.
        raise EvidenceRejected(UNREADABLE, "a field is impossible") from error


def _parsed(layout: Layout, lines: Lines, today: date) -> Zone:
    text = {name: span.of(lines) for name, span in layout.fields.items()}
    _demand_grammar(layout, lines, text)
    long = long_number(layout, lines)
    number = text[NUMBER].rstrip(FILLER) if long is None else long[:-1]
    return Zone(
        format=layout.format,
        lines=lines,
        fields=tuple(Field(name, text[name], str(span)) for name, span in layout.fields.items()),
        checks=check_digits(layout, lines),
        document_code=text["document_code"].rstrip(FILLER),
        issuing_state=text["issuing_state"].rstrip(FILLER),
        document_number=number,
        nationality=text.get("nationality", "").rstrip(FILLER) or None,
        birth_date=parse_birth(text["birth_date"], today),
        sex=text["sex"].rstrip(FILLER) or None,
        expiry_date=_expiry(layout, text, today),
        names=_names(text),
        optional_data=_optional(layout, text, long),
    )


def _demand_grammar(layout: Layout, lines: Lines, text: dict[str, str]) -> None:
    """Raises ValueError where a place or a field holds what no document has there."""
    for line, place in misfits(layout, lines):
        raise ValueError(line, place)
    grammar = {"issuing_state": _STATE}
    if "nationality" in text:
        # Cards of some territories (Macao) leave the nationality open; passports may not.
        grammar["nationality"] = _STATE_OR_NONE if layout.format in CARDS else _STATE
    for name, allowed in grammar.items():
        if not allowed.fullmatch(text[name]):
            raise ValueError(name)


def _expiry(layout: Layout, text: dict[str, str], today: date) -> date | None:
    written = text.get("expiry_date", NO_EXPIRY)
    if written == NO_EXPIRY and layout.format in CARDS:
        return None
    return parse_expiry(written, today, layout.years_valid)


def _names(text: dict[str, str]) -> Names:
    if "names" in text:
        return parse_names(text["names"])
    surname, given = parse_names(text["surname"]), text["given_names"]
    # The French card separates given names by `<<`: they are one list here.
    listed = " ".join(filter(None, (spaced(name) for name in given.split("<<"))))
    is_truncated = surname.is_truncated or not given.endswith(FILLER)
    return Names(surname.surname, listed or None, is_truncated)


def _optional(layout: Layout, text: dict[str, str], long: str | None) -> tuple[str, ...]:
    found = {n: t for n, t in text.items() if n.startswith("optional_data")}
    if long is not None and layout.overflow is not None:
        over = len(long) - len(text[NUMBER])
        found[layout.overflow] = found[layout.overflow][over:]
    return tuple(spaced(t) for t in found.values())
