"""Pages of signing in, of enrolling a key and of keeping one's keys."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from broker.authentication import enrolling, keeping, limits, signing_in, store
from broker.authentication.limits import Door
from broker.authentication.message import LIMIT, base64url, parse_assertion
from broker.authentication.models import Authenticator
from broker.authentication.standing import ACCESS_CODE, needs_attestation, suffices, wanted
from broker.authentication.step import SignInStep, steps_up
from broker.db import reading, transaction
from broker.errors import BrokerError, NotFound, TooLarge
from broker.feature import Asked, SignedIn
from broker.identity.verifier import Message
from broker.interaction.store import ACCOUNT, asked, resume_path, signed_in
from broker.web import cookies
from broker.web.locale import gettext
from broker.web.messages import message
from broker.web.tools import tools

pages = Blueprint(
    "authentication",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/authentication/static",
)

MESSAGE, CHALLENGE = "credential", "challenge"
"""Form fields: the key's answer as the script wrote it, and the challenge that it answers."""

_AGAIN = "?again=1"


@pages.before_request
def refuse_long_bodies() -> None:
    """Nothing that is sent to this room is long. Raises TooLarge."""
    if (request.content_length or 0) > LIMIT:
        raise TooLarge("key_rejected", "message_too_large")


@pages.get("/sign-in/<handle>")
def sign_in_page(handle: str) -> ResponseReturnValue:
    """Ask for a key; with `again`, for one of the signed-in person's own, whoever else may be."""
    now = tools().clock()
    with transaction() as tx:
        visit = asked(tx, handle, now)
        bound = _bound(tx, visit, now)
        if bound is None and not SignInStep().owed(tx, visit, now):
            return redirect(resume_path(handle), 303)
        return _ask_sign_in(tx, visit, bound, now)


@pages.post("/sign-in/<handle>")
def sign_in(handle: str) -> ResponseReturnValue:
    """Judge the key's answer: a new session, or the page again with what went wrong."""
    now = tools().clock()
    with transaction() as tx:
        visit = asked(tx, handle, now)
        person = visit.signed_in
        tried = limits.admit(Door.SIGN_IN, person.account_id if person else None, now)
        outcome = signing_in.accept(tx, handle, person, _challenge(), _answer(), now)
        if isinstance(outcome, BrokerError):
            bound = _bound(tx, visit, now)
            return _ask_sign_in(tx, visit, bound, now, outcome), outcome.status
    limits.forgive(tried, now)
    cookies.write(cookies.SESSION, outcome.secret)
    if suffices(outcome.authenticator, _level(visit), tools().policy):
        return redirect(resume_path(handle), 303)
    return redirect(f"/sign-in/{handle}/level", 303)


@pages.get("/sign-in/<handle>/level")
def level_page(handle: str) -> ResponseReturnValue:
    """Say that the key reaches less than was asked for, and what there is to do."""
    with reading() as tx:
        visit = asked(tx, handle, tools().clock())
    person, policy = visit.signed_in, tools().policy
    if person is None or suffices(person.authenticator, _level(visit), policy):
        return redirect(resume_path(handle), 303)
    attested = needs_attestation(_level(visit), policy)
    is_cooling = person.authenticator == ACCESS_CODE
    leave = resume_path(handle)
    return _page("level.html", handle=handle, attested=attested, is_cooling=is_cooling, leave=leave)


@pages.get("/enrol/<handle>")
def enrol_page(handle: str) -> ResponseReturnValue:
    """Ask for a new key: for a new account, or for one more of a person who has one."""
    return _ask_enrolment(handle, "authentication/enrol.html")


@pages.get("/enrol/<handle>/second")
def second_page(handle: str) -> ResponseReturnValue:
    """Recommend a second key to somebody who has just enrolled the first."""
    return _ask_enrolment(handle, "authentication/second.html", person_needed=True)


@pages.post("/enrol/<handle>")
def enrol(handle: str) -> ResponseReturnValue:
    """Judge the new key: an account or one more key, or the page again with what went wrong."""
    return _judge_enrolment(handle, "authentication/enrol.html")


@pages.post("/enrol/<handle>/second")
def enrol_second(handle: str) -> ResponseReturnValue:
    """The same for the second key, on its own page."""
    return _judge_enrolment(handle, "authentication/second.html")


@pages.get("/keys/<key_id>/name")
def name_page(key_id: str) -> ResponseReturnValue:
    """Ask for the key's new name."""
    now = tools().clock()
    with reading() as tx:
        key = store.own(tx, _person(tx, now).account_id, key_id)
        return _page("rename.html", key=keeping.shown(tx, key, now), longest=enrolling.LONGEST_NAME)


@pages.post("/keys/<key_id>/name")
def rename(key_id: str) -> ResponseReturnValue:
    """Give the key its new name."""
    now = tools().clock()
    with transaction() as tx:
        key = store.own(tx, _person(tx, now).account_id, key_id)
        keeping.rename(tx, key, request.form.get("name", ""), now)
    return redirect(resume_path(ACCOUNT), 303)


@pages.get("/keys/<key_id>/icon")
def icon(key_id: str) -> ResponseReturnValue:
    """The picture of a key's model, as its maker gave it to the FIDO metadata."""
    now = tools().clock()
    with reading() as tx:
        key = store.own(tx, _person(tx, now).account_id, key_id)
        return Response(keeping.icon(tx, key, now), mimetype="image/png")


@pages.get("/keys/<key_id>/removal")
def removal_page(key_id: str) -> ResponseReturnValue:
    """Ask whether the key shall really go; who used a key too long ago, must use one first."""
    now = tools().clock()
    with reading() as tx:
        person = _person(tx, now)
        if not enrolling.is_recent(person, now):
            return redirect(f"/sign-in/{ACCOUNT}{_AGAIN}", 303)
        key = store.own(tx, person.account_id, key_id)
        is_last = len(store.keys_of(tx, person.account_id)) == 1
        return _page("remove.html", key=keeping.shown(tx, key, now), is_last=is_last)


@pages.post("/keys/<key_id>/removal")
def remove(key_id: str) -> ResponseReturnValue:
    """Remove the key and end the person's other sessions."""
    now = tools().clock()
    with transaction() as tx:
        person = _person(tx, now)
        enrolling.demand_recent(person, now)
        keeping.remove(tx, person, store.own(tx, person.account_id, key_id), now)
    return redirect(resume_path(ACCOUNT), 303)


def _ask_enrolment(
    handle: str, template: str, *, person_needed: bool = False
) -> ResponseReturnValue:
    now = tools().clock()
    with transaction() as tx:
        visit = asked(tx, handle, now)
        person = visit.signed_in
        if person is None and person_needed:
            return redirect(f"/enrol/{handle}", 303)
        if person is not None and not enrolling.is_recent(person, now):
            return redirect(f"/sign-in/{handle}{_AGAIN}", 303)
        options = enrolling.ask(tx, handle, person, now, attested=_attested(visit))
        return _enrol(template, handle, options, person)


def _judge_enrolment(handle: str, template: str) -> ResponseReturnValue:
    now, secret = tools().clock(), ""
    with transaction() as tx:
        visit = asked(tx, handle, now)
        person = visit.signed_in
        if person is not None:
            enrolling.demand_recent(person, now)
        # A good one counts too: accounts are not to be made by the thousand.
        limits.admit(Door.ENROL, person.account_id if person else None, now)
        outcome = enrolling.accept(tx, handle, person, _challenge(), _answer(), now)
        if not isinstance(outcome, Authenticator):
            options = enrolling.ask(tx, handle, person, now, attested=_attested(visit))
            return _enrol(template, handle, options, person, outcome), outcome.status
        if person is None:
            secret = enrolling.begin_session(tx, outcome, now)
    if not secret:
        return redirect(resume_path(handle), 303)
    cookies.write(cookies.SESSION, secret)
    return redirect(f"/enrol/{handle}/second", 303)


def _attested(visit: Asked) -> bool:
    return needs_attestation(_level(visit), tools().policy)


def _person(tx: Session, now: datetime) -> SignedIn:
    person = signed_in(tx, now)
    if person is None:
        raise NotFound("not_signed_in")
    return person


def _challenge() -> str:
    return request.form.get(CHALLENGE, "")[:64]


def _answer() -> str:
    return request.form.get(MESSAGE, "")


def _bound(tx: Session, visit: Asked, now: datetime) -> SignedIn | None:
    """The person who must confirm that it is them, None where anybody may sign in."""
    if request.args.get("again") == "1" or steps_up(tx, visit, now):
        return visit.signed_in
    return None


def _level(visit: Asked) -> str | None:
    return wanted(visit.acr_values, tools().policy)


def _ask_sign_in(
    tx: Session,
    visit: Asked,
    bound: SignedIn | None,
    now: datetime,
    refusal: BrokerError | None = None,
) -> str:
    handle = visit.interaction or ACCOUNT
    return _page(
        "sign_in.html",
        action=f"/sign-in/{handle}{_AGAIN if bound else ''}",
        again=bound is not None,
        stronger=bound is not None and steps_up(tx, visit, now),
        handle=handle,
        options=signing_in.ask(tx, handle, bound, now, _level(visit)),
        error=_told(refusal),
        unknown=_unknown(refusal),
    )


def _unknown(refusal: BrokerError | None) -> str:
    # Repeated only where it was found to be well-formed and not ours: the browser may forget it.
    if refusal is None or refusal.code != "key_unknown":
        return ""
    return base64url(parse_assertion(_answer()).credential_id)


def _enrol(
    template: str,
    handle: str,
    options: dict[str, Any],
    person: SignedIn | None,
    refusal: BrokerError | None = None,
) -> str:
    return render_template(
        template,
        action=f"/enrol/{handle}" + ("/second" if template.endswith("second.html") else ""),
        handle=handle,
        options=options,
        is_first=person is None,
        cooling=_cooling(person),
        leave=resume_path(handle),
        error=_told(refusal),
    )


def _cooling(person: SignedIn | None) -> int | None:
    """Hours until a key that is enrolled now counts in full, None where it does at once."""
    if person is None or person.authenticator != ACCESS_CODE:
        return None
    return tools().settings.authentication.recovery_cooling // timedelta(hours=1)


def _told(refusal: BrokerError | None) -> Message | None:
    if refusal is None:
        return None
    if not _answer():
        return Message(
            gettext("Your key was not asked."),
            gettext("This page's script did not run. Allow JavaScript for this site, then reload."),
        )
    return message(refusal.code)


def _page(template: str, **shown: Any) -> str:
    return render_template(f"authentication/{template}", **shown)
