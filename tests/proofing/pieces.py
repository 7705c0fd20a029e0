"""Pieces of evidence of every kind, and everything that could be said of them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from broker.feature import ClaimsAsked
from broker.identity.assurance import SHIPPED, read_policy
from broker.identity.evidence import Check, Claim, Evidence, Outcome
from broker.proofing.abilities import Abilities
from broker.proofing.claims import said
from broker.proofing.verified_claims import Offer, offers
from tests.conftest import ISSUER, NOON
from tests.proofing.letter import CHECKS

POLICY = read_policy(SHIPPED)
KINDS = tuple(sorted(POLICY.evidence))
EVERYTHING = Abilities(frozenset(KINDS), frozenset({"check_digits", "not_specimen", "not_expired"}))
OURS = f"{ISSUER}/trust-framework"

PASSPORT = {
    "family_name": "ERIKSSON",
    "given_name": "ANNA MARIA",
    "birthdate": "1974-08-12",
    "gender": "female",
    "nationalities": "UTO",
    "document_type": "passport",
    "document_number": "L898902C3",
    "issuing_state": "UTO",
    "expiry_date": "2032-04-15",
    "personal_number": "ZE184226B",
}
ELSEWHERE = {
    "issuing_authority": "Node of Utopia",
    "voucher_organization": "Consulate of Utopia",
    "voucher_state": "UTO",
    "attestation_number": "V-1",
    "certificate_issuer": "CN=Utopian CA",
    "certificate_serial_number": "4711",
}
"""What verifiers of other kinds would say beside."""

PROVED = (Check("vcrypt", "issuer_signature", Outcome.PASSED),)


def evidence(kind: str = "mrz_photo", /, **said_: str) -> Evidence:
    found = tuple(Claim(name, value, "line 1, 1–9") for name, value in said_.items())
    return Evidence(kind, found, (*CHECKS, *PROVED), NOON, date(2032, 4, 15), f"{kind}-1")


def full(kind: str, at: datetime = NOON) -> Evidence:
    return replace(evidence(kind, **PASSPORT, **ELSEWHERE), at=at)


def offered(*filed: Evidence, able: Abilities = EVERYTHING, now: datetime = NOON) -> list[Offer]:
    return list(offers(filed, able, POLICY, ISSUER, now))


def tell(
    *filed: Evidence,
    scope: str = "",
    able: Abilities = EVERYTHING,
    later: timedelta = timedelta(),
    **named: Any,
) -> dict[str, Any]:
    """What the room says of this evidence to who asks for a scope, or for claims by name."""
    asked = ClaimsAsked(frozenset(scope.split()), named)
    return said(filed, asked, able, policy=POLICY, issuer=ISSUER, now=NOON + later)


def ask(verification: dict[str, Any] | None = None, *claims: str, **wished: Any) -> dict[str, Any]:
    """A request for verified claims."""
    names: dict[str, Any] = dict.fromkeys(claims)
    return {
        "verification": {"trust_framework": None} | (verification or {}),
        "claims": names | wished or None,
    }


def document(**members: Any) -> dict[str, Any]:
    """A verification that asks for evidence of type document with these members."""
    return {"evidence": [{"type": {"value": "document"}} | members]}
