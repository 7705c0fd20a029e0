"""Parking a request, finding it again in the same browser, and letting it go."""

import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from broker import entropy
from broker.accounts import session as sessions
from broker.entropy import RandomBytes
from broker.errors import NotFound
from broker.feature import Asked, SignedIn
from broker.interaction.models import Interaction
from broker.settings import Settings
from broker.web import cookies, errors, headers
from broker.web.tools import tools

ACCOUNT = "account"
"""The handle of no interaction: the person came on their own, to their account page."""

_WAY_BACK = timedelta(hours=12)
"""How long a request that is over still knows which service it came from."""

OWN_PAGES = {ACCOUNT: "/account", "desk": "/desk"}
"""Handle of no interaction → the page that the person came to on their own."""


def park(
    tx: Session, asked: Asked, request: dict[str, Any], settings: Settings, draw: RandomBytes
) -> str:
    """The unguessable handle of the request, parked for this browser only."""
    now = asked.began
    tx.execute(delete(Interaction).where(Interaction.expires <= now - _WAY_BACK))
    row = Interaction(
        handle=entropy.token(draw),
        browser=cookies.digest(cookies.browser()),
        asked=_to_json(asked),
        request=request,
        began=now,
        expires=now + settings.oidc.interaction_lifetime,
    )
    tx.add(row)
    return row.handle


def find(tx: Session, handle: str, now: datetime) -> Interaction:
    """The parked request. Raises NotFound: unknown, over, or another browser's.

    All three look the same, so that a forwarded or guessed link tells nothing.
    """
    # PostgreSQL answers a NUL in text with an error of its own, which would be a 5xx.
    row = tx.get(Interaction, handle) if handle.isprintable() else None
    mine = cookies.digest(cookies.browser())
    if row is None or not hmac.compare_digest(row.browser, mine):
        raise NotFound("interaction_over")
    if now >= row.expires:
        errors.offer_way_back(row.asked.get("start_again"), row.asked["client_name"])
        raise NotFound("interaction_over")
    return row


def asked(tx: Session, handle: str, now: datetime) -> Asked:
    """What was asked in this interaction and who is signed in. Raises NotFound as `find` does."""
    if handle in OWN_PAGES:
        return replace(_nobody(now), interaction=handle, signed_in=signed_in(tx, now))
    row = find(tx, handle, now)
    found = _from_json(row)
    headers.allow_form_target(found.redirect_origin)
    return replace(found, signed_in=signed_in(tx, now))


def signed_in(tx: Session, now: datetime) -> SignedIn | None:
    """Who is signed in in this browser, or None."""
    settings = tools().settings.authentication
    return sessions.find(tx, cookies.read(cookies.SESSION), now, settings)


def resume_path(handle: str) -> str:
    """Where every step sends the browser when it is done."""
    return OWN_PAGES.get(handle, f"/authorize/{handle}")


def drop(tx: Session, handle: str) -> None:
    """Forget the parked request: its code is on its way."""
    tx.execute(delete(Interaction).where(Interaction.handle == handle))


def _nobody(now: datetime) -> Asked:
    return Asked("", {}, {}, "", frozenset(), frozenset(), (), None, now)


def _to_json(asked: Asked) -> dict[str, Any]:
    return {
        "client_id": asked.client_id,
        "client_name": dict(asked.client_name),
        "purpose": dict(asked.purpose),
        "redirect_origin": asked.redirect_origin,
        "scope": sorted(asked.scope),
        "prompt": sorted(asked.prompt),
        "acr_values": list(asked.acr_values),
        "max_age": None if asked.max_age is None else asked.max_age.total_seconds(),
        "claims": {place: dict(named) for place, named in asked.claims.items()},
        "claim_names": sorted(asked.claim_names),
        "details": [dict(detail) for detail in asked.details],
        "start_again": asked.start_again,
        "links": dict(asked.links),
    }


def _from_json(row: Interaction) -> Asked:
    kept = row.asked
    return Asked(
        client_id=kept["client_id"],
        client_name=kept["client_name"],
        purpose=kept["purpose"],
        redirect_origin=kept["redirect_origin"],
        scope=frozenset(kept["scope"]),
        prompt=frozenset(kept["prompt"]),
        acr_values=tuple(kept["acr_values"]),
        max_age=None if kept["max_age"] is None else timedelta(seconds=kept["max_age"]),
        began=row.began,
        interaction=row.handle,
        claims=kept.get("claims", {}),
        claim_names=frozenset(kept.get("claim_names", ())),
        details=tuple(kept.get("details", ())),
        start_again=kept.get("start_again"),
        links=kept.get("links", {}),
    )
