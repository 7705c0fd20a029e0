"""Choosing a door, showing something at it, looking at what was read, and confirming it."""

from dataclasses import replace
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit.log import record
from broker.db import reading, transaction
from broker.errors import Conflict, EvidenceRejected, Malformed, NotAllowed, UpstreamUnavailable
from broker.identity.assurance import assess
from broker.identity.evidence import Evidence, Origin, Outcome
from broker.identity.verifier import Attempt, SchemeVerifier, Verifier
from broker.interaction.store import ACCOUNT, asked, resume_path
from broker.proofing import attempts, measured, store, words
from broker.proofing.foreign import choosing, joining
from broker.proofing.foreign.ways import find
from broker.proofing.phone_routes import phones
from broker.proofing.presenting import (
    Answer,
    action,
    choice,
    door,
    door_path,
    reply,
    review_path,
    show,
)
from broker.proofing.step import look
from broker.web import shown
from broker.web.locale import choose
from broker.web.messages import message
from broker.web.tools import tools

pages = Blueprint(
    "proofing",
    __name__,
    url_prefix="/prove",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)
pages.register_blueprint(phones)


@pages.get("/<handle>")
def doors(handle: str) -> Answer:
    """The doors that help; where there is one, and it is enough, that door."""
    now = tools().clock()
    with reading() as tx:
        request_ = asked(tx, handle, now)
        view = look(tx, request_, now)
    policy = tools().policy
    if len(view.doors) == 1 and view.is_enough(policy):
        return redirect(door_path(handle, view.doors[0].kind), code=303)
    return render_template("proofing/doors.html", **choice(handle, request_, view, policy))


@pages.post("/<handle>")
def go_on(handle: str) -> Answer:
    """Go on with what there is, where that is all there can be, or enough."""
    now = tools().clock()
    with transaction() as tx:
        request_ = asked(tx, handle, now)
        if not look(tx, request_, now).may_go_on():
            raise NotAllowed("interaction_required")
        if handle != ACCOUNT:
            store.waive(tx, request_.person(), handle, now)
    return redirect(resume_path(handle), code=303)


@pages.post("/<handle>/decline")
def decline(handle: str) -> Answer:
    """Back to whoever asked, with nothing."""
    now = tools().clock()
    with reading() as tx:
        asked(tx, handle, now)
    home = resume_path(handle)
    return redirect(home if handle == ACCOUNT else f"{home}/decline", code=303)


@pages.get("/<handle>/countries")
def countries(handle: str) -> Answer:
    """The countries and schemes that would help, or those that the person looks for."""
    now = tools().clock()
    with reading() as tx:
        request_ = asked(tx, handle, now)
        view = look(tx, request_, now)
    query = request.args.get("q", "")
    return render_template("foreign/countries.html", **choosing.page(handle, request_, view, query))


@pages.get("/<handle>/<kind>")
def open_door(handle: str, kind: str) -> Answer:
    """A new attempt at this door: its page, or the way to where it leads."""
    now, verifier = tools().clock(), door(kind)
    with reading() as tx:
        request_ = asked(tx, handle, now)
        where, view = attempts.place(request_, kind), look(tx, request_, now)
    attempt = Attempt(entropy.token(tools().random), now, choose())
    if isinstance(verifier, SchemeVerifier):
        way = find(choosing.every_way(view), kind, _arg("scheme"), _arg("country"))
        if way is None:
            return redirect(url_for("proofing.countries", handle=handle), code=303)
        with transaction() as tx:  # asking them is asking somebody else's machine
            attempts.count(tx, where.account_id, now)
        attempt = replace(attempt, scheme=way.scheme.id, country=way.country, least=way.least)
    try:
        opening = measured.opened(verifier, attempt)
    except EvidenceRejected as refusal:
        return _closed(handle, where, attempt, refusal.code)
    with transaction() as tx:
        attempts.begin(tx, where, attempt.handle, opening, now)
    return show(opening, handle, attempt)


@pages.post("/<handle>/<kind>")
def present(handle: str, kind: str) -> Answer:
    """Read what was sent; the reading takes seconds, so no transaction is open meanwhile."""
    now, verifier = tools().clock(), door(kind)
    name, sent = request.form.get(verifier.handle_param, ""), reply(verifier)
    with transaction() as tx:
        where = attempts.place(asked(tx, handle, now), kind)
        row = attempts.find(tx, name, where, now, alone=True)
        if row.reading is not None:  # sent twice: the first one has been read
            return redirect(review_path(handle, kind, name), code=303)
        attempts.count(tx, where.account_id, now)
        attempt = attempts.resume(tx, row, now, choose())
    try:
        evidence = measured.closed(verifier, attempt, sent)
    except EvidenceRejected as refusal:
        return _refused(handle, where, attempt, verifier, refusal.code)
    now = tools().clock()
    with transaction() as tx:
        attempts.keep(tx, attempts.find(tx, name, where, now, alone=True), evidence)
    return redirect(review_path(handle, kind, name), code=303)


@pages.get("/<handle>/<kind>/review/<attempt>")
def review(handle: str, kind: str, attempt: str) -> Answer:
    """What was read, beside where it stands: the person says whether it is right."""
    now = tools().clock()
    with reading() as tx:
        where = attempts.place(asked(tx, handle, now), kind)
        evidence = attempts.read(tx, attempts.find(tx, attempt, where, now))
        doubtful = joining.joining(tx, where.account_id, evidence).asks
    policy = tools().policy
    level = policy.identity_levels[assess([evidence], policy, now).level]
    return render_template(
        "proofing/review.html",
        action=review_path(handle, kind, attempt),
        look=any(claim.faint for claim in evidence.claims),
        rows=words.rows(evidence) if evidence.origin is None else words.summary(evidence),
        said_by=evidence.origin and _said_by(evidence.origin),
        passed=words.checks(evidence, Outcome.PASSED),
        open=words.checks(evidence, Outcome.FAILED, Outcome.SKIPPED),
        doubts=joining.doubts(doubtful) if doubtful else [],
        unanswered="same" in request.args,
        level=shown.level(level.label),
        meaning=shown.meaning(level.label),
    )


@pages.post("/<handle>/<kind>/review/<attempt>")
def confirm(handle: str, kind: str, attempt: str) -> Answer:
    """File what was read, or forget it; either way this attempt is over."""
    now, answer = tools().clock(), request.form.get("answer")
    if answer not in {"right", "again"}:
        raise Malformed("malformed", "neither right nor again")
    with transaction() as tx:
        where = attempts.place(asked(tx, handle, now), kind)
        row = attempts.find(tx, attempt, where, now, alone=True)
        evidence = attempts.read(tx, row)
        if answer == "again":
            tx.delete(row)
            record(tx, "evidence.discarded", {"account": where.account_id, "kind": kind}, now)
            return redirect(door_path(handle, kind), code=303)
        judged = joining.joining(tx, where.account_id, evidence)
        if judged.asks and request.form.get("same") != "yes":
            return redirect(f"{review_path(handle, kind, attempt)}?same=asked", code=303)
        tx.delete(row)
        code = judged.refusal or _joined(tx, where.account_id, evidence, judged, now)
        if code is None:
            filing = store.file(tx, where.account_id, evidence, now)
            record(tx, "evidence.accepted", _accepted(where.account_id, evidence, filing), now)
            return redirect(resume_path(handle), code=303)
        facts = {"account": where.account_id, "kind": evidence.kind, "reason": code}
        record(tx, "identity.refused", facts | judged.facts(), now)
    page = render_template("foreign/conflict.html", error=message(code), code=code, handle=handle)
    return page, Conflict.status


@pages.post("/evidence/<reference>/remove")
def remove(reference: str) -> Answer:
    """Take a filed reading back."""
    now = tools().clock()
    with transaction() as tx:
        person = asked(tx, ACCOUNT, now).person()
        kind = store.remove(tx, person, reference)
        facts = {"account": person, "kind": kind, "evidence": reference}
        record(tx, "evidence.removed", facts, now)
    return redirect(resume_path(ACCOUNT), code=303)


def _joined(
    tx: Session, account_id: str, evidence: Evidence, judged: joining.Joining, now: datetime
) -> str | None:
    """Link the identity behind the evidence; a code where it is somebody else's."""
    done = joining.join(tx, account_id, evidence, judged.method, now)
    if done == "linked" and evidence.origin:
        facts = {"account": account_id, "scheme": evidence.origin.scheme}
        record(tx, "identity.linked", facts | judged.facts(), now)
    return joining.ELSEWHERE if done == "elsewhere" else None


def _said_by(origin: Origin) -> str:
    """The name of the scheme that vouches, as the person knows it."""
    scheme = tools().foreign.get(origin.scheme)
    return choosing.text(scheme.name) if scheme else origin.scheme


def _arg(name: str) -> str:
    return request.args.get(name, "")


def _closed(handle: str, where: attempts.Place, attempt: Attempt, code: str) -> Answer:
    """A door that cannot be opened now, and the ways round it; on record."""
    with transaction() as tx:
        facts = {"account": where.account_id, "kind": where.kind, "reason": code}
        record(tx, "evidence.refused", facts, tools().clock())
    page = render_template(
        "foreign/closed.html",
        error=message(code),
        code=code,
        handle=handle,
        again=action(attempt),
    )
    return page, UpstreamUnavailable.status


def _refused(
    handle: str, where: attempts.Place, attempt: Attempt, verifier: Verifier, code: str
) -> Answer:
    """The door's page again, with what to try next; the refusal is on record."""
    now = tools().clock()
    opening = verifier.open(Attempt(attempt.handle, now, attempt.locale))
    with transaction() as tx:
        row = attempts.find(tx, attempt.handle, where, now, alone=True)
        attempts.reopen(tx, row, opening, now)
        facts = {"account": where.account_id, "kind": where.kind, "reason": code}
        record(tx, "evidence.refused", facts, now)
    return show(opening, handle, attempt, code)


def _accepted(account_id: str, evidence: Evidence, filing: store.Filing) -> dict[str, object]:
    policy = tools().policy
    return {
        "account": account_id,
        "kind": evidence.kind,
        "evidence": filing.id,
        "digest": filing.digest,
        "checks": [
            {"method": c.method, "property": c.property, "outcome": c.outcome.value}
            for c in evidence.checks
        ],
        "level": assess([evidence], policy, evidence.at).level,
        "policy": policy.version,
    }
