"""Pages of recovery codes: making a sheet of them, and coming in with one."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from broker.authentication import enrolling, limits, recovering, totp
from broker.authentication.limits import Door
from broker.authentication.standing import ACCESS_CODE
from broker.db import reading, transaction
from broker.errors import BrokerError, NotFound
from broker.interaction.store import asked, resume_path
from broker.web import cookies
from broker.web.messages import message
from broker.web.tools import tools

pages = Blueprint("recovery", __name__)

_AGAIN = "?again=1"


@pages.get("/recovery/<handle>")
def code_page(handle: str) -> ResponseReturnValue:
    """Ask for a recovery code."""
    with reading() as tx:
        asked(tx, handle, tools().clock())
    return _ask(handle)


@pages.post("/recovery/<handle>")
def use_code(handle: str) -> ResponseReturnValue:
    """Judge the code: a limited session and on to a new key, or the page again."""
    now = tools().clock()
    with transaction() as tx:
        person = asked(tx, handle, now).signed_in
        tried = limits.admit(Door.RECOVERY, person.account_id if person else None, now)
        outcome = recovering.use(tx, request.form.get("code", ""), now)
        if isinstance(outcome, BrokerError):
            return _ask(handle, outcome), outcome.status
        has_app = totp.is_proved(tx, outcome.account_id)
    limits.forgive(tried, now)
    cookies.write(cookies.SESSION, outcome.secret)
    return redirect(f"/recovery/{handle}/app" if has_app else f"/enrol/{handle}", 303)


@pages.get("/recovery-codes/<handle>")
def sheet_page(handle: str) -> ResponseReturnValue:
    """Say what recovery codes are, and offer to make them."""
    now = tools().clock()
    with reading() as tx:
        person = asked(tx, handle, now).signed_in
        if person is None or not enrolling.is_recent(person, now):
            return redirect(f"/sign-in/{handle}{_AGAIN}", 303)
        return render_template(
            "authentication/sheet.html",
            handle=handle,
            leave=resume_path(handle),
            sheet=recovering.sheet(tx, person.account_id),
            is_cooling=person.authenticator == ACCESS_CODE,
        )


@pages.post("/recovery-codes/<handle>")
def make_sheet(handle: str) -> ResponseReturnValue:
    """Make ten codes and show them: once, in this very answer."""
    now = tools().clock()
    with transaction() as tx:
        person = asked(tx, handle, now).signed_in
        if person is None:
            raise NotFound("not_signed_in")
        enrolling.demand_recent(person, now)
        codes = recovering.make(tx, person, now)
    return render_template("authentication/codes.html", codes=codes, leave=resume_path(handle))


def _ask(handle: str, refusal: BrokerError | None = None) -> str:
    return render_template(
        "authentication/recover.html",
        handle=handle,
        error=message(refusal.code) if refusal else None,
    )
