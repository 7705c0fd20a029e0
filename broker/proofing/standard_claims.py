"""Evidence → claims about the person (Core §5.1, Identity Assurance Claims), none that it lacks."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from broker.identity.evidence import Evidence
from broker.proofing.matching import Nothing, limits, told

VERIFIABLE: Final = (
    "name",
    "given_name",
    "family_name",
    "birthdate",
    "gender",
    "nationalities",
)
"""Claims that may stand in `verified_claims`; no other ever does."""

_GENDERS: Final = frozenset({"male", "female"})
_DOCUMENT: Final = ("document_number", "document_type", "issuing_state", "expiry_date")


def standard(evidence: Evidence) -> dict[str, str]:
    """The claims of scope `profile` (Core §5.4) that the evidence supports."""
    given, family = evidence.value("given_name"), evidence.value("family_name")
    found = {
        "name": " ".join(part for part in (given, family) if part),
        "family_name": family,
        "given_name": given,
        "birthdate": birthdate(evidence.value("birthdate")),
        "gender": evidence.value("gender"),
    }
    if found["gender"] not in _GENDERS:  # a document's X is no value of Core §5.1
        del found["gender"]
    return {name: value for name, value in found.items() if value}


def by_name(evidence: Evidence, issuer: str) -> dict[str, Any]:
    """Every claim that may be asked for by its name, as `matching` holds things."""
    held: dict[str, Any] = dict(standard(evidence))
    if states := nationalities(evidence):
        held["nationalities"] = states
    if about := document(evidence):
        held[f"{issuer}/claims/document"] = about
    return held


def verifiable(evidence: Evidence) -> dict[str, Any]:
    """Every claim of the evidence that `verified_claims` could hold, as `matching` holds things."""
    held: dict[str, Any] = dict(standard(evidence))
    held["nationalities"] = nationalities(evidence)
    try:
        # The claims of Identity Assurance know no partial date of birth.
        held["birthdate"] = date.fromisoformat(held.get("birthdate", ""))
    except ValueError:
        held["birthdate"] = None
    return {name: held[name] for name in VERIFIABLE if held.get(name)}


def chosen(named: Mapping[str, Any], held: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Of the claims asked for by name those that are held and as required; never an error.

    Core §5.5.1, Identity Assurance §5.7: essential or not, what is missing is left out.
    """
    parts = {name: _whole(wish, held[name], now) for name, wish in named.items() if name in held}
    return {name: part for name, part in parts.items() if not isinstance(part, Nothing)}


def birthdate(text: str | None) -> str | None:
    """The date as Core §5.1 allows it: YYYY-MM-DD, 0000-MM-DD or YYYY; None if too little is known.

    A month without its day has no form there: only the year is told.
    """
    if text is None:
        return None
    year, month, day = (*text.split("-"), "00", "00")[:3]
    if "00" not in {month, day}:
        return text
    return None if year == "0000" else year


def nationalities(evidence: Evidence) -> tuple[str, ...]:
    """The states whose national the person is, by codes of ICAO 9303 of three letters."""
    code = evidence.value("nationalities")
    return (THREE_LETTERS.get(code, code),) if code else ()


def document(evidence: Evidence) -> dict[str, str]:
    """Number, kind, issuer and last day of the document, as far as it says them."""
    return {name: value for name in _DOCUMENT if (value := evidence.value(name))}


THREE_LETTERS: Final[Mapping[str, str]] = {"D": "DEU"}
"""The one code of 9303-3 §5 that is shorter than the codes of Identity Assurance."""


def _whole(wish: Any, held: Any, now: datetime) -> Any:
    # A claim of ours has members, which are told together: Core has no way to ask for one.
    if isinstance(held, Mapping):
        return Nothing.UNMET if limits(wish) else dict(held)
    return told("claims", wish, held, now)
