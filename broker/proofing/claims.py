"""What filed evidence lets a token say (Core §5.1, Identity Assurance 1.0), and nothing beyond."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from broker.feature import ClaimsAsked
from broker.identity.assurance import Assessment, Policy, assess, in_force
from broker.identity.evidence import Check, Evidence, Outcome
from broker.proofing import store
from broker.web.tools import tools

CHECK_METHODS: Final = frozenset({"vpip", "vpiruv", "vri", "vcrypt", "pvp", "pvr", "bvp", "bvr"})
"""Names of the check_method registry of Identity Assurance; any other is ours and says so.

`data` is left out on purpose: there it means a look at an authoritative source's data, and the
arithmetic of a zone is none.
"""

DOCUMENT_TYPES: Final = frozenset({"passport", "idcard"})
"""Names of the document type registry that we use; any other is ours and says so."""

_GENDERS: Final = frozenset({"male", "female"})
_DOCUMENT: Final = ("document_number", "document_type", "issuing_state", "expiry_date")


def claims(tx: Session, account_id: str, asked: ClaimsAsked, now: datetime) -> Mapping[str, Any]:
    """All that this room may say about a person within what was asked; nothing absent is named."""
    scope = asked.scope
    if not scope & {"profile", "assurance", "document"}:
        return {}
    house = tools()
    filed = [e for e in store.evidence(tx, account_id) if in_force(e, house.policy, now)]
    if not filed:
        return {}
    return said(
        filed[0], assess(filed, house.policy, now), scope, house.policy, house.settings.issuer
    )


def said(
    newest: Evidence, assessment: Assessment, scope: frozenset[str], policy: Policy, issuer: str
) -> dict[str, Any]:
    """What the newest evidence says, and what the piece that grants the level proves. Pure."""
    made: dict[str, Any] = {}
    if "profile" in scope:
        made |= standard(newest)
    if "assurance" in scope:
        made["verified_claims"] = verified_claims(newest, assessment, scope, policy, issuer)
    if "document" in scope and (about := document(newest)):
        made[f"{issuer}/claims/document"] = about
    return made


def standard(evidence: Evidence) -> dict[str, str]:
    """The standard claims (Core §5.1) that the evidence supports."""
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


def document(evidence: Evidence) -> dict[str, str]:
    """Number, kind, issuer and last day of the document, as far as it says them."""
    return {name: value for name in _DOCUMENT if (value := evidence.value(name))}


def verified_claims(
    newest: Evidence, assessment: Assessment, scope: frozenset[str], policy: Policy, issuer: str
) -> dict[str, Any]:
    """How the person was verified; `claims` are empty below a level that verifies any.

    A photographed zone says a name and proves none: it must never stand there as verified.
    """
    level = policy.identity_levels[assessment.level]
    evidence = assessment.evidence or newest
    proved = standard(evidence) if level.verified and "profile" in scope else {}
    if not _is_whole(proved.get("birthdate")):
        proved.pop("birthdate", None)
    process = {"policy": f"{issuer}/policy.json#{policy.version}"}
    if assessment.because is not None:
        process["procedure"] = assessment.because
    return {
        "verification": {
            "trust_framework": f"{issuer}/trust-framework",
            "assurance_level": level.label,
            "assurance_process": process,
            "time": _day(evidence.at),
            "verification_process": evidence.reference,
            "evidence": [_shown(evidence, scope, issuer)],
        },
        "claims": proved,
    }


def _shown(evidence: Evidence, scope: frozenset[str], issuer: str) -> dict[str, Any]:
    """One entry of `evidence`: only checks that passed, and no number unless it was asked for."""
    made: dict[str, Any] = {"type": "document"}
    passed = (check for check in evidence.checks if check.outcome is Outcome.PASSED)
    if methods := dict.fromkeys(_method(check, issuer) for check in passed):
        made["check_details"] = [{"check_method": method} for method in methods]
    if (kind := evidence.value("document_type")) is not None:
        known = kind in DOCUMENT_TYPES
        details: dict[str, Any] = {"type": kind if known else f"{issuer}/document-types/{kind}"}
        if (state := evidence.value("issuing_state")) is not None:
            details["issuer"] = {"country_code": state}
        made["document_details"] = details | _number(evidence, scope)
    return made


def _number(evidence: Evidence, scope: frozenset[str]) -> dict[str, str]:
    if "document" not in scope:
        return {}
    names = {"document_number": "document_number", "expiry_date": "date_of_expiry"}
    return {ida: v for ours, ida in names.items() if (v := evidence.value(ours))}


def _method(check: Check, issuer: str) -> str:
    if check.method in CHECK_METHODS:
        return check.method
    return f"{issuer}/check-methods/{check.property}"


def _is_whole(text: str | None) -> bool:
    # The claims of IDA know no partial date of birth.
    try:
        return text is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _day(at: datetime) -> str:
    # To the day: the exact second would let two services find out that they know one person.
    return at.astimezone(UTC).strftime("%Y-%m-%dT00:00:00Z")
