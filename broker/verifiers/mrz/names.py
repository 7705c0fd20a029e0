"""The names field of machine-readable zones (ICAO 9303-3 §4.6): not a legal name, its shadow."""

import re
from dataclasses import dataclass

SEPARATOR = "<<"
_NAMES = re.compile(r"[A-Z]+(<[A-Z]+)*(<<[A-Z]+(<[A-Z]+)*)?")


@dataclass(frozen=True, slots=True)
class Names:
    """What the field says: `given_names` is None where the document has no second part.

    A space may be a lost apostrophe, hyphen or space; letters are transliterated (SS may be ß,
    OE may be Ø). `is_truncated` if the field is full: the names may go on.
    """

    surname: str
    given_names: str | None
    is_truncated: bool


def parse_names(field: str) -> Names:
    """The names in `field`, its fillers still on.

    Raises ValueError where it is no names field: digits, no surname, or a second `<<` with
    letters after it. No check digit guards names, so this shape is all that betrays a misread
    filler.
    """
    text = field.rstrip("<")
    if not _NAMES.fullmatch(text):
        raise ValueError(field)
    surname, _, given = text.partition(SEPARATOR)
    return Names(spaced(surname), spaced(given) or None, is_truncated=text == field)


def spaced(text: str) -> str:
    """`text` with its fillers turned to spaces, none at the ends."""
    return text.replace("<", " ").strip()
