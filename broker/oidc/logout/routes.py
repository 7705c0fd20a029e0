"""The end_session_endpoint and its pages (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from broker.accounts import session as sessions
from broker.accounts.subject import pairwise, session_name
from broker.audit.log import record
from broker.db import reading, transaction
from broker.feature import SignedIn
from broker.interaction.store import signed_in
from broker.oidc import store
from broker.oidc.client import Client
from broker.oidc.logout.parcel import seal, unseal
from broker.oidc.logout.request import LogoutRequest, parse
from broker.oidc.request import Arguments
from broker.web import cookies, csrf, headers
from broker.web.locale import ASKED
from broker.web.tools import tools

pages = Blueprint("logout", __name__, template_folder="templates")

csrf.exempt("logout.logout_by_form")

PARCEL = "request"
"""Form field and parameter that holds a sealed LogoutRequest."""


@pages.get("/logout")
def logout() -> ResponseReturnValue:
    """Sign out at once where the hint is of this very visit, else ask (§2)."""
    if request.method == "HEAD":  # a link preview must not sign anybody out
        return Response()
    now = tools().clock()
    with transaction() as tx:
        return _answer(tx, _parsed(tx, request.args.to_dict(flat=False)), now)


@pages.post("/logout")
def logout_by_form() -> ResponseReturnValue:
    """The same by POST, turned into a GET that carries it sealed.

    A form of another site arrives without our SameSite cookies; the redirect brings them. The
    ID token of a POST must not end in an address, where histories and logs would keep it.
    """
    house, now = tools(), tools().clock()
    with reading() as tx:
        wish = _parsed(tx, request.form.to_dict(flat=False))
    query = {PARCEL: seal(wish, house.keyring.browser, now, house.random)}
    if languages := request.form.get(ASKED):
        query[ASKED] = languages[:200]
    return redirect(f"/logout/request?{urlencode(query)}", 303)


@pages.get("/logout/request")
def logout_sealed() -> ResponseReturnValue:
    """What a POST asked for, now with the browser's cookies."""
    if request.method == "HEAD":
        return Response()
    now = tools().clock()
    wish = unseal(request.args.get(PARCEL, ""), tools().keyring.browser, now)
    with transaction() as tx:
        return _answer(tx, wish, now)


@pages.post("/logout/confirm")
def confirm() -> ResponseReturnValue:
    """The person said yes on our page."""
    now = tools().clock()
    wish = unseal(request.form.get(PARCEL, ""), tools().keyring.browser, now)
    with transaction() as tx:
        who = signed_in(tx, now)
        told = _end(tx, who, wish, now) if who else ()
    return _leave(wish, told, sure=True)


def _parsed(tx: Session, arguments: Arguments) -> LogoutRequest:
    house = tools()
    return parse(
        arguments,
        lambda name: store.find_client(tx, name),
        house.keyring,
        house.settings.issuer,
    )


def _answer(tx: Session, wish: LogoutRequest, now: datetime) -> ResponseReturnValue:
    who = signed_in(tx, now)
    client = store.find_client(tx, wish.client_id) if wish.client_id else None
    if who is None:
        return _leave(wish, (), sure=wish.subject is not None)
    if _is_of_this_visit(wish, client, who):
        return _leave(wish, _end(tx, who, wish, now), sure=True)
    return _ask(wish, client, now)


def _is_of_this_visit(wish: LogoutRequest, client: Client | None, who: SignedIn) -> bool:
    """Whether the hint names the person and the session of this browser, both."""
    if client is None or wish.subject is None or wish.sid is None:
        return False
    key, sector = tools().keyring.pairwise, client.metadata.sector_host
    same_person = wish.subject == pairwise(key, sector, who.account_id)
    return same_person and wish.sid == session_name(key, sector, who.session_id)


def _end(tx: Session, who: SignedIn, wish: LogoutRequest, now: datetime) -> sessions.Names:
    told = sessions.end(tx, cookies.read(cookies.SESSION))
    facts: dict[str, object] = {"account": who.account_id, "everywhere": False}
    if wish.client_id is not None:
        facts["client"] = wish.client_id
    record(tx, "session.ended", facts, now)
    cookies.write(cookies.SESSION, "")
    return told


def _ask(wish: LogoutRequest, client: Client | None, now: datetime) -> str:
    house = tools()
    if wish.origin is not None:
        headers.allow_form_target(wish.origin)
    return render_template(
        "oidc/logout.html",
        parcel=seal(wish, house.keyring.browser, now, house.random),
        service=client.metadata.client_name if client else None,
        other_visit=wish.subject is not None,
    )


def _leave(
    wish: LogoutRequest, told: tuple[Mapping[str, str], ...], *, sure: bool
) -> ResponseReturnValue:
    """Back to the service, or our farewell; `sure`: a hint of ours or the person vouches for it.

    §3: without either there is no redirect, but a link that the person may follow.
    """
    if sure and (url := wish.answer_url):
        return redirect(url, 303)
    return render_template("oidc/signed_out.html", told=told, back=wish.answer_url)
