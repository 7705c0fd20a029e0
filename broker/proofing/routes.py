"""Choosing a door, showing something at it, looking at what was read, and confirming it."""

from flask import Blueprint, redirect, render_template, request

from broker import entropy
from broker.audit.log import record
from broker.db import reading, transaction
from broker.errors import EvidenceRejected, Malformed, NotAllowed
from broker.identity.assurance import assess
from broker.identity.evidence import Evidence, Outcome
from broker.identity.verifier import Attempt, Verifier
from broker.interaction.store import ACCOUNT, asked, resume_path
from broker.proofing import attempts, store, words
from broker.proofing.phone_routes import phones
from broker.proofing.presenting import (
    Answer,
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


@pages.get("/<handle>/<kind>")
def open_door(handle: str, kind: str) -> Answer:
    """A new attempt at this door: its page, or the way to where it leads."""
    now, verifier = tools().clock(), door(kind)
    with reading() as tx:
        where = attempts.place(asked(tx, handle, now), kind)
    attempt = Attempt(entropy.token(tools().random), now, choose())
    opening = verifier.open(attempt)
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
        evidence = verifier.close(attempt, sent)
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
    policy = tools().policy
    level = policy.identity_levels[assess([evidence], policy, now).level]
    return render_template(
        "proofing/review.html",
        action=review_path(handle, kind, attempt),
        rows=words.rows(evidence),
        passed=words.checks(evidence, Outcome.PASSED),
        open=words.checks(evidence, Outcome.FAILED, Outcome.SKIPPED),
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
        tx.delete(row)
        if answer == "again":
            record(tx, "evidence.discarded", {"account": where.account_id, "kind": kind}, now)
            return redirect(door_path(handle, kind), code=303)
        filing = store.file(tx, where.account_id, evidence, now)
        record(tx, "evidence.accepted", _accepted(where.account_id, evidence, filing), now)
    return redirect(resume_path(handle), code=303)


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
