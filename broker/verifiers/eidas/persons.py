"""Whom an assertion speaks of: the person who signed in, and whom they represent.

eIDAS knows a natural person for themselves, a natural person for another, a natural person for a
company, and a company for a company. Evidence here is about whoever sits in front of the browser:
the representative where there is one. A company that nobody represents is nobody.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from broker.errors import EvidenceRejected
from broker.identity.evidence import Claim
from broker.identity.scheme import Scheme
from broker.verifiers.eidas.attributes import Attributes, Value
from broker.verifiers.eidas.section import Section
from broker.verifiers.eidas.xml import LEGAL, NATURAL

REPRESENTATIVE: Final = "representative/"
LEGAL_IDENTIFIER: Final = f"{LEGAL}/LegalPersonIdentifier"
LEGAL_NAME: Final = f"{LEGAL}/LegalName"

_IDENTIFIER: Final = re.compile(r"([A-Z]{2})/([A-Z]{2})/([\x21-\x7e]{1,256})")
_SAME_COUNTRY: Final = {"EL": "GR", "UK": "GB"}
"""Codes that the Union uses for two states beside those of ISO 3166."""

_GENDERS: Final = {"Male": "male", "Female": "female", "Unspecified": "X"}


@dataclass(frozen=True, slots=True)
class Holder:
    """The person who signed in: the identifier by which the scheme knows them, and what it says."""

    identifier: str
    country: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an assertion is held against; `country` is the one chosen, "" where none was."""

    scheme: Scheme
    section: Section
    country: str
    today: date


def holder(found: Attributes, terms: Terms) -> Holder:
    """The person who signed in. Raises EvidenceRejected."""
    if terms.section.profile == "plain":
        identifier = _value(found, terms.scheme.identifier, "eidas_person_incomplete").latin
        country = terms.country or terms.scheme.countries[0]
        return Holder(identifier, country, _person(found, terms, _as_named))
    if found.has(f"{LEGAL}/{REPRESENTATIVE}"):
        raise EvidenceRejected("eidas_nobody", "a company for a company")
    if found.has(f"{NATURAL}/{REPRESENTATIVE}"):
        return _representing(found, terms)
    if terms.scheme.identifier not in found.elements and LEGAL_IDENTIFIER in found.elements:
        raise EvidenceRejected("eidas_nobody", "a company alone")
    return _natural(found, terms, _as_named)


def _representing(found: Attributes, terms: Terms) -> Holder:
    """The representative, with whom they represent as claims of its own names."""
    acting = _natural(found, terms, _as_representative)
    if LEGAL_IDENTIFIER in found.elements:
        identifier = _value(found, LEGAL_IDENTIFIER, "eidas_person_incomplete").latin
        _country_of(identifier, terms)
        name = _value(found, LEGAL_NAME, "eidas_person_incomplete")
        said = [("represented_identifier", identifier), *_both("represented_name", name)]
        represented = [Claim(n, v, "LegalName") for n, v in said]
    else:
        other = _natural(found, terms, _as_named)
        if other.identifier == acting.identifier:
            raise EvidenceRejected("eidas_ambiguous", "somebody who represents themselves")
        represented = [Claim("represented_identifier", other.identifier, "PersonIdentifier")]
        represented += [
            Claim(f"represented_{claim.name}", claim.value, claim.source)
            for claim in other.claims
            if claim.name in {"family_name", "given_name", "birthdate"}
        ]
    return Holder(acting.identifier, acting.country, (*acting.claims, *represented))


def _natural(found: Attributes, terms: Terms, named: Callable[[str], str]) -> Holder:
    attribute = named(terms.scheme.identifier)
    identifier = _value(found, attribute, "eidas_person_incomplete").latin
    return Holder(identifier, _country_of(identifier, terms), _person(found, terms, named))


def _person(found: Attributes, terms: Terms, named: Callable[[str], str]) -> tuple[Claim, ...]:
    """Everything the scheme's file maps. Raises EvidenceRejected where the required is missing."""
    claims = tuple(_claims(found, terms, named))
    if set(terms.scheme.required) - {claim.name for claim in claims}:
        raise EvidenceRejected("eidas_person_incomplete")
    return claims


def _claims(found: Attributes, terms: Terms, named: Callable[[str], str]) -> Iterator[Claim]:
    for name, attribute in terms.scheme.claims.items():
        value = found.value(named(attribute))
        if value is not None:
            source = re.split(r"[/:]", attribute)[-1]
            read = READERS.get(name, _as_said)(value, terms)
            yield from (Claim(n, v, source) for n, v in _both(name, read))


def _both(name: str, value: Value) -> Iterator[tuple[str, str]]:
    yield name, value.latin
    if value.native is not None:
        yield f"native_{name}", value.native


def _value(found: Attributes, attribute: str, missing: str) -> Value:
    value = found.value(attribute)
    if value is None:
        raise EvidenceRejected(missing)
    return value


def _country_of(identifier: str, terms: Terms) -> str:
    """The state that made the identifier, for us (eIDAS Attribute Profile §2.2.3).

    Raises EvidenceRejected: eidas_identifier_wrong. An identifier of another state than the one
    that was asked, or made for another than ours, is somebody else's business.
    """
    match = _IDENTIFIER.fullmatch(identifier)
    if match is None:
        raise EvidenceRejected("eidas_identifier_wrong", "not COUNTRY/COUNTRY/text")
    country, made_for = (_SAME_COUNTRY.get(match[n], match[n]) for n in (1, 2))
    admitted = {terms.country} if terms.country else set(terms.scheme.countries)
    if country not in {_SAME_COUNTRY.get(code, code) for code in admitted}:
        raise EvidenceRejected("eidas_identifier_wrong", "of another country")
    if made_for != terms.section.node_country:
        raise EvidenceRejected("eidas_identifier_wrong", "made for another country")
    return country


def _as_named(attribute: str) -> str:
    return attribute


def _as_representative(attribute: str) -> str:
    return attribute.replace(f"{NATURAL}/", f"{NATURAL}/{REPRESENTATIVE}", 1)


def _as_said(value: Value, _: Terms) -> Value:
    return value


def _date(value: Value, terms: Terms) -> Value:
    """A whole date that has been. Raises EvidenceRejected: eidas_value_unusable."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value.latin, re.ASCII):
            born = date.fromisoformat(value.latin)
            if born <= terms.today:
                return value
    except ValueError:
        pass
    raise EvidenceRejected("eidas_value_unusable", "no date of birth")


def _gender(value: Value, _: Terms) -> Value:
    read = _GENDERS.get(value.latin) or _GENDERS.get(value.latin.capitalize())
    if read is None:
        raise EvidenceRejected("eidas_value_unusable", "no gender that we know")
    return Value(read)


READERS: Final[Mapping[str, Callable[[Value, Terms], Value]]] = {
    "birthdate": _date,
    "gender": _gender,
}
"""Claim → how its value is read, where it is more than text."""
