"""The attributes of an assertion: who has which, in which script (eIDAS Attribute Profile §2)."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.errors import EvidenceRejected
from broker.verifiers.eidas.xml import LEGAL, NATURAL, SAML, Element, demanded, tag, text

LONGEST: Final = 270
"""Characters of a value: an identifier may have 256 and its two countries."""

_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_LATIN_FLAGS: Final = tuple(tag(space, "LatinScript") for space in (NATURAL, LEGAL))


@dataclass(frozen=True, slots=True)
class Value:
    """One attribute: in Latin letters, and as written at home where that is another script."""

    latin: str
    native: str | None = None


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes by name; their values are read only when somebody asks for them.

    `scripts`: whether a value in another script must say so and have a Latin one beside it.
    """

    elements: Mapping[str, Element]
    scripts: bool

    def has(self, prefix: str) -> bool:
        """Whether any name begins so."""
        return any(name.startswith(prefix) for name in self.elements)

    def value(self, name: str) -> Value | None:
        """The one value, None where the assertion has none.

        Raises EvidenceRejected: eidas_ambiguous, eidas_value_unusable, eidas_name_not_latin.
        """
        element = self.elements.get(name)
        if element is None:
            return None
        found = element.findall(tag(SAML, "AttributeValue"))
        native = [clean(text(v)) for v in found if self.scripts and not _says_latin(v)]
        latin = [clean(text(v)) for v in found if not self.scripts or _says_latin(v)]
        if not found:
            return None
        if len(latin) > 1 or len(native) > 1:
            raise EvidenceRejected("eidas_ambiguous", "several values of one attribute")
        if not latin or (self.scripts and not is_latin(latin[0])):
            raise EvidenceRejected("eidas_name_not_latin")
        return Value(latin[0], native[0] if native else None)


def attributes(assertion: Element, *, scripts: bool) -> Attributes:
    """What the assertion's one statement says. Raises EvidenceRejected: eidas_ambiguous."""
    found: dict[str, Element] = {}
    for element in demanded(assertion, SAML, "AttributeStatement"):
        name = element.get("Name")
        if element.tag != tag(SAML, "Attribute") or not name or name in found:
            raise EvidenceRejected("eidas_ambiguous", "an attribute twice, or none")
        found[name] = element
    return Attributes(found, scripts)


def clean(value: str) -> str:
    """The value without white space round it, composed (NFC). Raises eidas_value_unusable.

    Nothing that is invisible, turns the direction of writing, or is no character passes: what a
    person compares on the page must be what a service is told.
    """
    trimmed = unicodedata.normalize("NFC", value.strip())
    hidden = any(unicodedata.category(c) in _UNPRINTABLE or c in _BIDI for c in trimmed)
    if not trimmed or hidden or len(trimmed) > LONGEST:
        raise EvidenceRejected("eidas_value_unusable")
    return trimmed


def is_latin(value: str) -> bool:
    """Whether every letter is of the Latin script."""
    letters = (c for c in value if unicodedata.category(c).startswith("L"))
    return all("LATIN" in unicodedata.name(c, "") or c in "ʹʺʻʼʽʾʿˈˌ" for c in letters)


def _says_latin(value: Element) -> bool:
    flags = {value.get(name) for name in _LATIN_FLAGS} - {None}
    if flags - {"true", "1", "false", "0"}:
        raise EvidenceRejected("eidas_value_unusable")
    return not flags & {"false", "0"}
