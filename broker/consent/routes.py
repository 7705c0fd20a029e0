"""Asking a person to agree, and taking an agreement back."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from broker.audit.log import record
from broker.consent import store
from broker.consent.proof import proofs
from broker.consent.values import detail_rows, values
from broker.db import reading, transaction
from broker.errors import NotFound
from broker.feature import Asked, ClaimsAsked, claims_of
from broker.interaction.store import ACCOUNT, asked, resume_path
from broker.web.tools import tools

PLACES = ("userinfo", "id_token")

pages = Blueprint("consent", __name__, url_prefix="/consent", template_folder="templates")


@pages.get("/<handle>")
def show(handle: str) -> str:
    """Who asks, what for, and the very values that would be given."""
    house = tools()
    with reading() as tx:
        wish = _wish(tx, handle)
        told = _told(tx, wish)
    return render_template(
        "consent/ask.html",
        handle=handle,
        wish=wish,
        values=values({n: v for place in told for n, v in place.items()}, house.settings.issuer),
        proofs=proofs(told),
        details=[detail_rows(detail) for detail in wish.details],
        number_asked=_asks_for_number(wish),
        days=house.settings.oidc.refresh_token_lifetime.days,
        minutes=int(house.settings.oidc.access_token_lifetime.total_seconds() // 60),
    )


@pages.post("/<handle>")
def agree(handle: str) -> Response:
    """Record the agreement, then back to the dispatcher, which decides what comes next."""
    now = tools().clock()
    with transaction() as tx:
        wish = _wish(tx, handle)
        # First the record: its lock makes the second of two clicks wait for the first.
        record(tx, "consent.given", _facts(wish), now)
        store.give(tx, wish, now)
    return redirect(resume_path(handle), code=303)


@pages.post("/<handle>/decline")
def decline(handle: str) -> Response:
    """Record the refusal, then back to the service with nothing."""
    now = tools().clock()
    with transaction() as tx:
        record(tx, "consent.declined", _facts(_wish(tx, handle)), now)
    return redirect(f"{resume_path(handle)}/decline", code=303)


@pages.post("/withdraw")
def withdraw() -> Response:
    """Take an agreement back: what the client was given to come in with is void at once."""
    house, now = tools(), tools().clock()
    client_id = request.form.get("client", "")
    with transaction() as tx:
        person = asked(tx, ACCOUNT, now).person()
        store.withdraw(tx, person, client_id)
        for feature in house.features:
            if feature.revoke is not None:
                feature.revoke(tx, person, client_id)
        record(tx, "consent.withdrawn", {"account": person, "client": client_id}, now)
    return redirect(resume_path(ACCOUNT), code=303)


def _wish(tx: Session, handle: str) -> Asked:
    """What a relying service asks. Raises NotFound where none does."""
    wish = asked(tx, handle, tools().clock())
    if not wish.client_id:
        raise NotFound("interaction_over")
    return wish


def _told(tx: Session, wish: Asked) -> list[Mapping[str, Any]]:
    """What would be said, at userinfo and in the ID token; the scope's part at both."""
    house, now = tools(), tools().clock()
    places = [ClaimsAsked(wish.scope, wish.claims.get(name, {})) for name in PLACES]
    return [claims_of(house.features, tx, wish.person(), place, now) for place in places]


def _asks_for_number(wish: Asked) -> bool:
    by_name = f"{tools().settings.issuer}/claims/document"
    asked = {name.rsplit(".", 1)[-1] for name in wish.claim_names if name != by_name}
    return "document" in wish.scope or by_name in wish.claim_names or "document_number" in asked


def _facts(wish: Asked) -> dict[str, object]:
    facts: dict[str, object] = {
        "account": wish.person(),
        "client": wish.client_id,
        "scope": sorted(wish.scope),
    }
    if claims := {name for named in wish.claims.values() for name in named}:
        facts["claims"] = sorted(claims)
    if wish.details:
        facts["details"] = sorted({str(detail["type"]) for detail in wish.details})
    return facts
