"""How a person was verified, as a service asked to hear it (Identity Assurance §5): pure.

Every filed piece of evidence is an offer or two; every element of a request takes the best offer
that meets it, and of that offer nothing but what it asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from broker.identity.assurance import Assessment, Policy, assess
from broker.identity.assurance_request import EVIDENCE_TYPES, fault
from broker.identity.evidence import Evidence
from broker.proofing.abilities import Abilities
from broker.proofing.evidence_shape import Asserted, asserted, describe
from broker.proofing.matching import Nothing, told
from broker.proofing.standard_claims import VERIFIABLE, chosen, verifiable

WITH_PROFILE: Final = tuple(name for name in VERIFIABLE if name != "nationalities")
"""What scope `assurance` asks for together with `profile`: the claims that `profile` names."""


@dataclass(frozen=True, slots=True)
class Offer:
    """All that could be said of one piece of evidence in one trust framework."""

    verification: dict[str, Any]
    claims: dict[str, Any]


def answer(request: Any, held: Sequence[Offer], now: datetime) -> Any:
    """`verified_claims` for this request, None where no element of it can be met.

    An object is answered with an object, an array with an array of the elements that were met.
    Never an error: what is not held, or not as required, is left out, essential or not.
    """
    if fault(request):
        return None
    if not isinstance(request, list):
        return _best(request, held, now)
    met = [found for element in request if (found := _best(element, held, now))]
    return met or None


def offers(
    filed: Iterable[Evidence], able: Abilities, policy: Policy, issuer: str, now: datetime
) -> tuple[Offer, ...]:
    """Everything that could be told, the highest level first, then the newest.

    `filed` is evidence in force, newest first. Of the same piece, what another framework asserted
    comes before what ours makes of it.
    """
    pieces = [(e, assess([e], policy, now)) for e in filed if e.kind in able.kinds]
    levels = list(policy.identity_levels)
    pieces.sort(key=lambda piece: -levels.index(piece[1].level))
    return tuple(offer for e, grade in pieces for offer in _offers(e, grade, able, policy, issuer))


def of_scope(scope: frozenset[str], issuer: str) -> dict[str, Any]:
    """The request that scope `assurance` stands for (§5.8): our framework, and all but numbers.

    Numbers come with scope `document`, values with `profile`.
    """
    return {
        "verification": {
            "trust_framework": {"value": f"{issuer}/trust-framework"},
            "assurance_level": None,
            "assurance_process": {"policy": None, "procedure": None},
            "time": None,
            "verification_process": None,
        }
        | {"evidence": [_entry(type_, "document" in scope) for type_ in EVIDENCE_TYPES]},
        "claims": dict.fromkeys(WITH_PROFILE) if "profile" in scope else None,
    }


def _best(element: Any, held: Iterable[Offer], now: datetime) -> dict[str, Any] | None:
    for offer in held:
        verification = told("verification", element["verification"], offer.verification, now)
        if not isinstance(verification, Nothing):
            claims = chosen(element["claims"] or {}, offer.claims, now)
            return {"verification": verification, "claims": claims}
    return None


def _offers(
    evidence: Evidence, grade: Assessment, able: Abilities, policy: Policy, issuer: str
) -> Iterable[Offer]:
    """The offers of one piece; `claims` are empty below a level that verifies any.

    A photographed zone says a name and proves none: it must never stand there as verified.
    """
    level = policy.identity_levels[grade.level]
    proved = verifiable(evidence) if level.verified else {}
    common: dict[str, Any] = {"time": evidence.at, "verification_process": evidence.reference}
    if (entry := describe(evidence, issuer, able.methods)) is not None:
        common["evidence"] = [entry]
    if (theirs := asserted(evidence)) is not None:
        yield Offer(_asserted(theirs) | common, proved)
    process = {"policy": f"{issuer}/policy.json#{policy.version}"}
    if grade.because is not None:  # no rule counted: evidence that has run out, say
        process["procedure"] = grade.because
    own = {"trust_framework": f"{issuer}/trust-framework", "assurance_level": level.label}
    yield Offer(own | {"assurance_process": process} | common, proved)


def _asserted(by: Asserted) -> dict[str, Any]:
    return {"trust_framework": by.framework, "assurance_level": by.level}


def _entry(type_: str, numbers: bool) -> dict[str, Any]:  # noqa: FBT001  a private table's column
    made: dict[str, Any] = {"type": {"value": type_}} | _ASKED[type_]
    if type_ == "document" and numbers:
        number = {"document_number": None, "date_of_expiry": None}
        made["document_details"] = made["document_details"] | number
    if type_ == "electronic_signature" and numbers:
        made["serial_number"] = None
    return made


_CHECKED: Final[dict[str, Any]] = {"check_details": [{"check_method": None}]}
_ASKED: Final[dict[str, dict[str, Any]]] = {
    "document": _CHECKED | {"document_details": {"type": None, "issuer": {"country_code": None}}},
    "electronic_record": _CHECKED | {"record": {"type": None, "source": {"country_code": None}}},
    "electronic_signature": {"signature_type": None, "issuer": None},
    "vouch": _CHECKED | {"attestation": {"type": None, "voucher": {"country_code": None}}},
}
"""Type of evidence → what scope `assurance` asks of it."""
