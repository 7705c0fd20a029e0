"""What this room lets a token say about a person: what was asked, what is held, nothing beyond."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broker.feature import ClaimsAsked
from broker.identity.assurance import Policy, in_force
from broker.identity.evidence import Evidence
from broker.proofing import store
from broker.proofing.abilities import Abilities, abilities
from broker.proofing.abilities import metadata as metadata_of
from broker.proofing.standard_claims import by_name, chosen, document, standard
from broker.proofing.verified_claims import answer, of_scope, offers
from broker.web.tools import tools

SCOPES = frozenset({"profile", "assurance", "document"})
VERIFIED = "verified_claims"


def claims(tx: Session, account_id: str, asked: ClaimsAsked, now: datetime) -> Mapping[str, Any]:
    """All that this room may say about a person within what was asked; nothing absent is named."""
    if not asked.scope & SCOPES and not asked.named:
        return {}
    house = tools()
    filed = [e for e in store.evidence(tx, account_id) if in_force(e, house.policy, now)]
    return said(filed, asked, able(), policy=house.policy, issuer=house.settings.issuer, now=now)


def metadata() -> Mapping[str, Any]:
    """What this house can say about persons, for the discovery document."""
    return metadata_of(able(), tools().settings.issuer)


def able() -> Abilities:
    """What the doors and rooms of this house can bring."""
    house = tools()
    others = frozenset[str]().union(*(feature.produces for feature in house.features))
    quoted = (scheme.framework for scheme in house.foreign.values())
    return abilities(house.verifiers, house.policy, others, quoted)


def said(  # noqa: PLR0913  what is known, what is asked, and the rules of both
    filed: Sequence[Evidence],
    asked: ClaimsAsked,
    able: Abilities,
    *,
    policy: Policy,
    issuer: str,
    now: datetime,
) -> dict[str, Any]:
    """The newest evidence as plain claims, the best as verified ones. Pure.

    `filed` is evidence in force, newest first. A request by name is answered in place of what
    scope `assurance` would ask at the same place.
    """
    if not filed:
        return {}
    newest, scope = filed[0], asked.scope
    made: dict[str, Any] = dict(standard(newest)) if "profile" in scope else {}
    if "document" in scope and (about := document(newest)):
        made[f"{issuer}/claims/document"] = about
    # A value that is required by name is not given by way of a scope if it differs.
    held = by_name(newest, issuer)
    made = {name: value for name, value in made.items() if name not in asked.named}
    made |= chosen(asked.named, held, now)
    if VERIFIED in asked.named or "assurance" in scope:
        request = asked.named.get(VERIFIED, of_scope(scope, issuer))
        verified = answer(request, offers(filed, able, policy, issuer, now), now)
        made |= {} if verified is None else {VERIFIED: verified}
    return made
