"""Pages of the authenticator app: adding one, using it beside a recovery code, removing it."""

from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from broker.accounts.owner import fresh_owner, is_fresh, signed_in
from broker.accounts.routes import SIGN_IN, SIGN_IN_AGAIN
from broker.authentication import limits, totp
from broker.authentication.limits import Door
from broker.authentication.standing import ACCESS_CODE
from broker.db import reading, transaction
from broker.errors import BrokerError, NotFound
from broker.interaction.store import asked
from broker.web import cookies, qr
from broker.web.messages import message
from broker.web.tools import tools

pages = Blueprint("totp", __name__)

_GROUP = 4


@pages.get("/authenticator-app")
def offer_page() -> ResponseReturnValue:
    """Say what an app is for, and offer to prepare one."""
    now = tools().clock()
    with reading() as tx:
        who = signed_in(tx, now)
    if who is None:
        return redirect(SIGN_IN, 303)
    if not is_fresh(who, now) or who.authenticator == ACCESS_CODE:
        return redirect(SIGN_IN_AGAIN, 303)
    return render_template("authentication/app_offer.html")


@pages.post("/authenticator-app")
def prepare() -> ResponseReturnValue:
    """Make a secret and show it: once, in this very answer."""
    now = tools().clock()
    with transaction() as tx:
        uri = totp.prepare(tx, fresh_owner(tx, now), now)
    return _show(uri)


@pages.post("/authenticator-app/proof")
def prove() -> ResponseReturnValue:
    """Judge the first digits: the app counts, or the page again."""
    now = tools().clock()
    with transaction() as tx:
        who = fresh_owner(tx, now)
        tried = limits.admit(Door.APP, who.account_id, now)
        refusal = totp.prove(tx, who, request.form.get("code", ""), now)
        uri = totp.pending_uri(tx, who.account_id)
    if refusal is None:
        limits.forgive(tried, now)
        return redirect("/account", 303)
    if uri is None:
        return redirect("/authenticator-app", 303)
    return _show(uri, refusal), refusal.status


@pages.get("/authenticator-app/removal")
def removal_page() -> ResponseReturnValue:
    """Ask whether the app shall really go."""
    now = tools().clock()
    with reading() as tx:
        who = signed_in(tx, now)
    if who is None:
        return redirect(SIGN_IN, 303)
    if not is_fresh(who, now):
        return redirect(SIGN_IN_AGAIN, 303)
    return render_template("authentication/app_removal.html")


@pages.post("/authenticator-app/removal")
def remove() -> ResponseReturnValue:
    """Remove the app."""
    now = tools().clock()
    with transaction() as tx:
        totp.remove(tx, fresh_owner(tx, now), now)
    return redirect("/account", 303)


@pages.get("/recovery/<handle>/app")
def second_page(handle: str) -> ResponseReturnValue:
    """Ask somebody who came by a recovery code for the digits of their app."""
    return _ask(handle)


@pages.post("/recovery/<handle>/app")
def use(handle: str) -> ResponseReturnValue:
    """Judge the digits: a session that need not wait and on to a new key, or the page again."""
    now = tools().clock()
    with transaction() as tx:
        person = asked(tx, handle, now).signed_in
        if person is None:
            raise NotFound("not_signed_in")
        tried = limits.admit(Door.APP, person.account_id, now)
        outcome = totp.use(tx, person, request.form.get("code", ""), now)
    if isinstance(outcome, BrokerError):
        return _ask(handle, outcome)
    limits.forgive(tried, now)
    cookies.write(cookies.SESSION, outcome)
    return redirect(f"/enrol/{handle}", 303)


def _ask(handle: str, refusal: BrokerError | None = None) -> ResponseReturnValue:
    with reading() as tx:
        person = asked(tx, handle, tools().clock()).signed_in
        if person is None or not totp.is_proved(tx, person.account_id):
            return redirect(f"/enrol/{handle}", 303)
    error = message(refusal.code) if refusal else None
    page = render_template("authentication/app_code.html", handle=handle, error=error)
    return page, (refusal.status if refusal else 200)


def _show(uri: str, refusal: BrokerError | None = None) -> str:
    secret = parse_qs(urlsplit(uri).query)["secret"][0]
    return render_template(
        "authentication/app_secret.html",
        uri=uri,
        secret=" ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP)),
        picture=qr.drawn(uri),
        error=message(refusal.code) if refusal else None,
    )
