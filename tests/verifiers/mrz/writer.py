"""A writer of valid machine-readable zones, apart from the parser that it tries."""

from dataclasses import dataclass

FILLER = "<"


def digit(text: str) -> str:
    """The check digit of `text`, written by hand from ICAO 9303-3 §4.9."""
    total = 0
    for i, symbol in enumerate(text):
        value = 0 if symbol == FILLER else int(symbol, 36)
        total += value * (7, 3, 1)[i % 3]
    return str(total % 10)


def guarded(text: str) -> str:
    return text + digit(text)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a document is about, as the zone writes it: dates YYMMDD, codes with fillers."""

    surname: str = "MARLOWE"
    given_names: str = "INES CLAIRE"
    nationality: str = "UTO"
    birth: str = "890412"
    sex: str = "F"


@dataclass(frozen=True, slots=True)
class Document:
    """What a document adds: its code, issuer, number, expiry and optional data."""

    code: str = "P"
    state: str = "UTO"
    number: str = "UT4037215"
    expiry: str = "350917"
    optional: str = ""
    optional_2: str = ""


def names(holder: Holder, width: int) -> str:
    parts = (holder.surname.replace(" ", FILLER), holder.given_names.replace(" ", FILLER))
    return "<<".join(filter(None, parts)).ljust(width, FILLER)[:width]


def td3(holder: Holder, document: Document, empty_digit: str = "<") -> tuple[str, str]:
    """A passport; `empty_digit` is what guards empty optional data: `<` or 0."""
    optional = document.optional.ljust(14, FILLER)
    body = (
        guarded(document.number.ljust(9, FILLER)),
        guarded(holder.birth),
        guarded(document.expiry)
        + optional
        + (digit(optional) if document.optional else empty_digit),
    )
    first = _first(document) + names(holder, 39)
    second = body[0] + _code(holder.nationality) + body[1] + holder.sex + body[2]
    return first, second + digit("".join(body))


def td2(holder: Holder, document: Document) -> tuple[str, str]:
    number, rest = _number(document, 7)
    body = (number, guarded(holder.birth), guarded(document.expiry) + rest)
    second = body[0] + _code(holder.nationality) + body[1] + holder.sex + body[2]
    return _first(document) + names(holder, 31), second + digit("".join(body))


def td1(holder: Holder, document: Document) -> tuple[str, str, str]:
    number, rest = _number(document, 15)
    birth, expiry = guarded(holder.birth), guarded(document.expiry)
    optional = document.optional_2.ljust(11, FILLER)
    composite = digit(number + rest + birth + expiry + optional)
    second = birth + holder.sex + expiry + _code(holder.nationality) + optional + composite
    return _first(document) + number + rest, second, names(holder, 30)


def visa(holder: Holder, document: Document, width: int = 44) -> tuple[str, str]:
    """MRV-A, or MRV-B where `width` is 36."""
    second = (
        guarded(document.number.ljust(9, FILLER))
        + _code(holder.nationality)
        + guarded(holder.birth)
        + holder.sex
        + guarded(document.expiry)
        + document.optional
    )
    return _first(document) + names(holder, width - 5), second.ljust(width, FILLER)


def _first(document: Document) -> str:
    return document.code.ljust(2, FILLER) + _code(document.state)


def _code(state: str) -> str:
    return state.ljust(3, FILLER)


def _number(document: Document, width: int) -> tuple[str, str]:
    """The ten places of the number, and the optional field, into which a long number goes on."""
    number = document.number
    if len(number) <= 9:
        return guarded(number.ljust(9, FILLER)), document.optional.ljust(width, FILLER)
    rest = f"{number[9:]}{digit(number)}{FILLER}{document.optional}"
    return number[:9] + FILLER, rest.ljust(width, FILLER)[:width]
