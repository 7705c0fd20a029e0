"""Claims, places and levels as a person reads them, in the language of this answer."""

import re
from datetime import date

import babel
import babel.dates

from broker.identity.words import CLAIMS, LEVELS, PLACE, PLACES, UNKNOWN, VALUES
from broker.web.locale import choose, format_date, gettext, isolate

_DATES = frozenset(
    {
        "birthdate", "expiry_date", "date_of_expiry", "attestation_date", "signed_at",
        "represented_birthdate",
    }
)  # fmt: skip
_STATES = frozenset({"nationalities", "issuing_state", "voucher_state", "country_of_birth"})
_LINE = re.compile(r"line (\d+), ([\d–, ]+)")
_MONTHS = {"fr": "fr_MA", "ar": "ar_MA", "en": "en_GB"}
_LEAP = 2000
"""A year with every day in it, to write a day and month without a year."""


def label(claim: str) -> str:
    """What people call this claim; its own name where no page knows it."""
    return gettext(CLAIMS[claim]) if claim in CLAIMS else claim


def value(claim: str, text: str) -> str:
    """The value in words: long dates, names of states, words for codes."""
    if (claim, text) in VALUES:
        return gettext(VALUES[claim, text])
    if claim in _DATES:
        return _day(text)
    if claim in _STATES:
        return state(text)
    return text


def state(code: str) -> str:
    """The name of the state with this ICAO 9303 code and the code; the code alone if unknown."""
    # Germany alone has one letter in documents (9303-3 §5).
    three = {"D": "DEU"}.get(code, code)
    two = babel.core.get_global("territory_aliases").get(three, [three])[0]
    name = babel.Locale.parse(_MONTHS[choose()]).territories.get(two)
    return f"{name} ({code})" if name else code


def country(code: str, language: str = "") -> str:
    """The name of the country with this code of ISO 3166, the code alone if it has none."""
    locale = babel.Locale.parse(_MONTHS[language or choose()])
    return str(locale.territories.get(code, code))


def place(source: str) -> str:
    """Where in the document a value stands."""
    found = _LINE.fullmatch(source)
    if found is None:
        return source
    said = PLACE if found[2].isdigit() else PLACES
    return gettext(said, line=found[1], places=isolate(found[2]))


def level(name: str) -> str:
    """The label of an identity level as a word."""
    return gettext(LEVELS[name][0]) if name in LEVELS else name


def meaning(name: str) -> str:
    """What an identity level of this label means to the person, "" if the policy's own."""
    return gettext(LEVELS[name][1]) if name in LEVELS else ""


def _day(text: str) -> str:
    """A date, of which `00` and `0000` are unknown parts: only what is known, never guessed."""
    year, month, day = (int(part) for part in (*text.split("-"), "0", "0")[:3])
    locale = _MONTHS[choose()]
    if year and month and day:
        return format_date(date(year, month, day))
    if month and day:
        return babel.dates.format_skeleton("MMMMd", date(_LEAP, month, day), locale=locale)
    if year and month:
        return babel.dates.format_skeleton("yMMMM", date(year, month, 1), locale=locale)
    return str(year) if year else gettext(UNKNOWN)
