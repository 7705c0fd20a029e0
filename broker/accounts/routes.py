"""The account page: every room's panel, signing out, and erasing the account."""

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from broker.accounts import session as sessions
from broker.accounts import store
from broker.accounts.owner import fresh_owner, is_fresh, owner, signed_in
from broker.audit.log import record
from broker.db import reading, scrub, transaction
from broker.web import cookies
from broker.web.tools import tools

pages = Blueprint("accounts", __name__, url_prefix="/account", template_folder="templates")

SIGN_IN = "/sign-in/account"
SIGN_IN_AGAIN = f"{SIGN_IN}?again=1"


@pages.get("")
def show() -> Response | str:
    """The panels of all rooms, or the sign-in page."""
    now = tools().clock()
    with transaction() as tx:  # not reading(): being here counts as use of the session
        who = signed_in(tx, now)
        if who is None:
            return redirect(SIGN_IN, code=303)
        sessions.touch(tx, who.session_id, now)
        panels = [
            feature.panel(tx, who.account_id, now)
            for feature in tools().features
            if feature.panel is not None
        ]
        parts = [render_template(panel.template, **panel.context) for panel in panels]
        parts = [part for part in parts if part.strip()]  # a room may have nothing to say
    return render_template("accounts/account.html", parts=parts)


@pages.post("/sign-out")
def sign_out() -> Response:
    """End this browser's session; nothing happens to one who is not signed in."""
    now = tools().clock()
    with transaction() as tx:
        if (who := signed_in(tx, now)) is not None:
            record(tx, "session.ended", {"account": who.account_id, "everywhere": False}, now)
        sessions.end(tx, cookies.read(cookies.SESSION))
    cookies.write(cookies.SESSION, "")
    return redirect("/account/signed-out", code=303)


@pages.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """End the account's sessions in every browser. Raises NotAllowed not_signed_in."""
    now = tools().clock()
    with transaction() as tx:
        who = owner(tx, now)
        ended = sessions.end_all(tx, who.account_id)
        facts = {"account": who.account_id, "everywhere": True, "sessions": ended}
        record(tx, "session.ended", facts, now)
    cookies.write(cookies.SESSION, "")
    return redirect("/account/signed-out", code=303)


@pages.get("/signed-out")
def signed_out() -> str:
    """What to do after signing out."""
    return render_template("accounts/signed_out.html")


@pages.get("/erase")
def ask_erasure() -> Response | str:
    """What erasing destroys and what remains; offers it to one whose key was just used."""
    now = tools().clock()
    with reading() as tx:
        who = signed_in(tx, now)
    if who is None:
        return redirect(SIGN_IN, code=303)
    return render_template("accounts/erase.html", fresh=is_fresh(who, now), again=SIGN_IN_AGAIN)


@pages.post("/erase")
def erase() -> Response:
    """Erase the account. Raises NotAllowed: not_signed_in, recovery_cooling, sign_in_again."""
    now = tools().clock()
    with transaction() as tx:
        who = fresh_owner(tx, now)
        # Before the rooms forget which services there are to be told.
        sessions.end_all(tx, who.account_id)
        # The entry first: the record's own eraser then unlinks this one with the others.
        record(tx, "account.erased", {"account": who.account_id}, now)
        for feature in reversed(tools().features):
            if feature.erase is not None:
                feature.erase(tx, who.account_id)
        store.erase(tx, who.account_id)
    scrub()  # where a reader is in the way, the record's worker does it
    cookies.write(cookies.SESSION, "")
    return redirect("/account/erased", code=303)


@pages.get("/erased")
def erased() -> str:
    """The farewell."""
    return render_template("accounts/erased.html")
