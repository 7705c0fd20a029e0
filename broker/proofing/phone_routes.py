"""Photographing with a telephone what was begun at a computer."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for

from broker.audit.log import record
from broker.db import reading, transaction
from broker.errors import EvidenceRejected, NotFound
from broker.identity.verifier import Attempt, Page, Verifier
from broker.interaction.store import asked
from broker.proofing import attempts, handover, measured
from broker.proofing.models import Handover, OpenAttempt
from broker.proofing.presenting import Answer, door, door_path, reply, review_path
from broker.web import qr
from broker.web.locale import choose, isolate, pick
from broker.web.messages import message
from broker.web.tools import tools

phones = Blueprint("phones", __name__)


@phones.post("/<handle>/<kind>/phone")
def offer(handle: str, kind: str) -> Answer:
    """An address for the telephone, once more if the last one is over; counted as a try."""
    now, verifier = tools().clock(), _portable(kind)
    name = request.form.get(verifier.handle_param, "")
    with transaction() as tx:
        request_ = asked(tx, handle, now)
        where = attempts.place(request_, kind)
        row = attempts.find(tx, name, where, now, alone=True)
        attempts.count(tx, where.account_id, now)
        handover.offer(tx, row, request_, now)
        record(tx, "handover.offered", {"account": where.account_id, "kind": kind}, now)
    waiting = url_for("proofing.phones.wait", handle=handle, kind=kind, attempt=name)
    return redirect(waiting, code=303)


@phones.get("/<handle>/<kind>/phone/<attempt>")
def wait(handle: str, kind: str, attempt: str) -> Answer:
    """The code to scan, until something has been read: then the page that shows it."""
    now = tools().clock()
    with reading() as tx:
        where = attempts.place(asked(tx, handle, now), kind)
        row = attempts.find(tx, attempt, where, now)
        if row.reading is not None:
            return redirect(review_path(handle, kind, attempt), code=303)
        token = handover.token_of(tx, row, now)
    address = tools().settings.issuer + url_for("proofing.phones.look", token=token)
    return render_template(
        "proofing/waiting.html",
        address=address,
        code=qr.drawn(address),
        minutes=int(tools().settings.proofing.handover_lifetime.total_seconds() // 60),
        back=door_path(handle, kind),
    )


@phones.get("/phone/<token>")
def look(token: str) -> Answer:
    """On the telephone: the verifier's own page, and nothing else of the house.

    Looking uses nothing up: telephones fetch what they scan before anybody has touched it.
    """
    now = tools().clock()
    with reading() as tx:
        view = _view(token, *handover.find(tx, token, now))
    return _asking(view, Attempt("", now, choose()))


@phones.post("/phone/<token>")
def send(token: str) -> Answer:
    """Read what the telephone sent, for the person who waits elsewhere."""
    now = tools().clock()
    with transaction() as tx:
        held, row = handover.find(tx, token, now, alone=True)
        view, verifier = _view(token, held, row), _portable(row.kind)
        sent = reply(verifier)
        attempts.count(tx, row.account_id, now)
        attempt = attempts.resume(tx, row, now, choose())
    try:
        evidence = measured.closed(verifier, attempt, sent)
    except EvidenceRejected as refusal:
        return _refused(view, attempt, refusal.code)
    now = tools().clock()
    with transaction() as tx:
        used, row = handover.find(tx, token, now, alone=True)
        attempts.keep(tx, row, evidence)
        used.done = True
        record(tx, "handover.used", {"account": row.account_id, "kind": row.kind}, now)
    return render_template("proofing/sent.html")


@dataclass(frozen=True, slots=True)
class View:
    """What the telephone's page is made of."""

    token: str
    kind: str
    client_name: Mapping[str, str]


def _view(token: str, held: Handover, row: OpenAttempt) -> View:
    return View(token, row.kind, held.client_name)


def _refused(view: View, attempt: Attempt, code: str) -> Answer:
    now = tools().clock()
    with transaction() as tx:
        _, row = handover.find(tx, view.token, now, alone=True)
        facts = {"account": row.account_id, "kind": row.kind, "reason": code}
        record(tx, "evidence.refused", facts, now)
    return _asking(view, attempt, code)


def _asking(view: View, attempt: Attempt, code: str | None = None) -> Answer:
    opening = _portable(view.kind).open(Attempt("", attempt.now, attempt.locale))
    if not isinstance(opening.show, Page):
        raise NotFound(handover.OVER)
    page = render_template(
        opening.show.template,
        **{
            **opening.show.context,
            "action": url_for("proofing.phones.send", token=view.token),
            "attempt": "",
            "error": None if code is None else message(code),
            "for_computer": isolate(_service(view.client_name)),
        },
    )
    return page if code is None else (page, EvidenceRejected.status)


def _service(names: Mapping[str, str]) -> str:
    """Who asked: a service, or this house on its account page."""
    return pick(dict(names)) if names else "Miftah"


def _portable(kind: str) -> Verifier:
    """The verifier, if what it asks for can be shown elsewhere. Raises NotFound."""
    verifier = door(kind)
    if not getattr(verifier, "by_phone", False):
        raise NotFound("verifier_unknown")
    return verifier
