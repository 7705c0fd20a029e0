"""Pages of the address for notices."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from broker.accounts.owner import fresh_owner, is_fresh, is_weakest, owner, signed_in
from broker.accounts.routes import SIGN_IN, SIGN_IN_AGAIN
from broker.db import reading, transaction
from broker.errors import BrokerError, Malformed, NotFound, TooMany
from broker.notices import address
from broker.web.messages import message
from broker.web.tools import tools

pages = Blueprint("notices", __name__, url_prefix="/account/address", template_folder="templates")


@pages.before_request
def _only_where_mail_is_sent() -> None:
    if not tools().settings.mail.host:
        raise NotFound("not_found", "this system sends no mail")


@pages.get("")
def ask_address() -> ResponseReturnValue:
    """Ask where to tell the person of changes."""
    now = tools().clock()
    with reading() as tx:
        who = signed_in(tx, now)
        if who is None:
            return redirect(SIGN_IN, 303)
        if not is_fresh(who, now) or is_weakest(who):
            return redirect(SIGN_IN_AGAIN, 303)
        context = address.panel(tx, who.account_id, now).context
    return render_template("notices/address.html", error=None, typed="", **context)


@pages.post("")
def offer_address() -> ResponseReturnValue:
    """Send a code there, and ask for it; or the page again."""
    now, typed = tools().clock(), request.form.get("address", "")
    refusal: BrokerError | None = None
    with transaction() as tx:
        who = fresh_owner(tx, now)
        context = address.panel(tx, who.account_id, now).context
        try:
            address.offer(tx, who.account_id, typed, now)
        except (Malformed, TooMany) as error:
            refusal = error
    if refusal is None:
        return redirect("/account/address/code", 303)
    page = render_template(
        "notices/address.html", error=message(refusal.code), typed=typed, **context
    )
    return page, refusal.status


@pages.get("/code")
def ask_code() -> ResponseReturnValue:
    """Ask for the code that was sent."""
    return _ask_code(None)


@pages.post("/code")
def prove_address() -> ResponseReturnValue:
    """Judge the code: back to the account page, or the page again."""
    now = tools().clock()
    with transaction() as tx:
        who = owner(tx, now)
        refusal = address.prove(tx, who.account_id, request.form.get("code", ""), now)
    return redirect("/account", 303) if refusal is None else _ask_code(refusal)


@pages.post("/removal")
def remove_address() -> ResponseReturnValue:
    """Take the address back."""
    now = tools().clock()
    with transaction() as tx:
        address.remove(tx, fresh_owner(tx, now).account_id, now)
    return redirect("/account", 303)


def _ask_code(refusal: BrokerError | None) -> ResponseReturnValue:
    with reading() as tx:
        who = signed_in(tx, tools().clock())
        if who is None:
            return redirect(SIGN_IN, 303)
        waiting = address.pending(tx, who.account_id)
    if waiting is None:
        return redirect("/account/address", 303)
    error = message(refusal.code) if refusal else None
    page = render_template("notices/code.html", error=error, address=waiting)
    return page, (refusal.status if refusal else 200)
