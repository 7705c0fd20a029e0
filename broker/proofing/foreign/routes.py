"""Answers that come back from other houses, by a form of theirs or in the address.

A browser does not send our cookie with another site's POST (SameSite=Lax, RFC 6265bis §5.6.7). So
an answer is looked at in two moments. First it is laid down, sealed, with the attempt that it
names, and the browser is given a ticket and sent on to a page of ours. There, with our cookie,
the person who began collects it. Ticket and cookie must meet: who lures somebody else into
answering a question of their own has the cookie and not the ticket, and the lured has the ticket
and not the cookie.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from broker.audit.log import record
from broker.db import transaction
from broker.errors import EvidenceRejected, NotFound, TooLarge
from broker.identity.evidence import Evidence
from broker.identity.verifier import Attempt, Publishes, Reply, SchemeVerifier, Verifier
from broker.interaction.store import ACCOUNT, asked, resume_path
from broker.proofing import attempts, measured
from broker.proofing import store as filed
from broker.proofing.foreign import store
from broker.proofing.presenting import Answer, door, review_path
from broker.web import csrf
from broker.web.locale import choose
from broker.web.messages import message
from broker.web.tools import tools

log = logging.getLogger("broker")

pages = Blueprint("foreign", __name__, url_prefix="/foreign", template_folder="templates")

csrf.exempt("foreign.receive")


@pages.get("/<kind>/<name>")
def find(kind: str, name: str) -> Answer:
    """What the verifier publishes under this name; else an answer has come in the address."""
    verifier = _foreign(kind)
    if isinstance(verifier, Publishes):
        document = verifier.publish(name, tools().clock())
        if document is not None:
            made = Response(document.body, mimetype=document.media_type)
            made.headers["Cache-Control"] = "public, max-age=300"
            return made
    return receive(kind, name)


@pages.post("/<kind>/<name>")
def receive(kind: str, name: str) -> Answer:
    """Lay the answer down, and send the browser to collect it with its own cookie."""
    now, verifier = tools().clock(), _foreign(kind)
    sent = _sent(verifier)
    handle = sent.fields.get(verifier.handle_param, "")
    with transaction() as tx:
        interaction, ticket = attempts.deliver(tx, handle, kind, (name, sent), now)
    address = url_for(
        "foreign.collect", handle=interaction, kind=kind, attempt=handle, ticket=ticket
    )
    return redirect(address, code=303)


@pages.get("/<kind>/<handle>/<attempt>/<ticket>")
def collect(kind: str, handle: str, attempt: str, ticket: str) -> Answer:
    """Look at the answer, once, in the browser that began; a reload shows where things stand."""
    now, verifier = tools().clock(), _foreign(kind)
    with transaction() as tx:
        found = _collected(tx, (kind, handle, attempt), ticket, now)
    if not isinstance(found, _Collected):
        return found
    evidence = _evidence(verifier, found)
    if isinstance(evidence, str):
        return _refused(handle, found.where, attempt, evidence)
    with transaction() as tx:
        row = attempts.find(tx, attempt, found.where, now, alone=True)
        if attempts.used_up(tx, kind, evidence, now):
            attempts.keep(tx, row, evidence)
            return redirect(review_path(handle, kind, attempt), code=303)
    return _refused(handle, found.where, attempt, "evidence_replayed")


@pages.post("/identities/<name>/unlink")
def unlink(name: str) -> Answer:
    """Take the link away, and with it all that this identity said."""
    now = tools().clock()
    with transaction() as tx:
        person = asked(tx, ACCOUNT, now).person()
        origin = store.unlink(tx, person, name)
        for reference, kind in filed.remove_all_of(tx, person, origin):
            facts = {"account": person, "kind": kind, "evidence": reference}
            record(tx, "evidence.removed", facts, now)
        record(tx, "identity.unlinked", {"account": person, "scheme": origin.scheme}, now)
    return redirect(resume_path(ACCOUNT), code=303)


@dataclass(frozen=True, slots=True)
class _Collected:
    """An answer in the browser that it was meant for: `name` is that of the scheme it came for."""

    where: attempts.Place
    resumed: Attempt
    name: str
    sent: Reply


def _collected(
    tx: Session, path: tuple[str, str, str], ticket: str, now: datetime
) -> _Collected | Answer:
    """The answer that lies there, or where the person goes from here without one."""
    kind, handle, attempt = path
    request_ = asked(tx, handle, now)
    if request_.signed_in is None:
        return _lost(handle, "not_signed_in")
    where = attempts.place(request_, kind)
    row = attempts.seek(tx, attempt, where, now, alone=True)
    if row is None:
        return _lost(handle, "foreign_answer_lost")
    if row.reading is not None:
        return redirect(review_path(handle, kind, attempt), code=303)
    waiting = attempts.collect(tx, row, ticket)
    if waiting is None:
        return redirect(url_for("proofing.doors", handle=handle), code=303)
    attempts.count(tx, where.account_id, now)
    return _Collected(where, attempts.resume(tx, row, now, choose()), *waiting)


def _evidence(verifier: Verifier, found: _Collected) -> Evidence | str:
    """What the answer proves, or the code of why it proves nothing."""
    if found.resumed.remembered.get("scheme", found.name) != found.name:
        return "answer_from_elsewhere"
    try:
        return measured.closed(verifier, found.resumed, found.sent)
    except EvidenceRejected as refusal:
        log.info("refused: %s from %s (%s)", refusal.code, found.name, refusal.hint)
        return refusal.code


def _refused(handle: str, where: attempts.Place, attempt: str, code: str) -> Answer:
    """Why the answer proves nothing, and what to do now; the attempt is over, on record."""
    now = tools().clock()
    with transaction() as tx:
        tx.delete(attempts.find(tx, attempt, where, now, alone=True))
        facts = {"account": where.account_id, "kind": where.kind, "reason": code}
        record(tx, "evidence.refused", facts, now)
    page = render_template("foreign/refused.html", error=message(code), code=code, handle=handle)
    return page, EvidenceRejected.status


def _lost(handle: str, code: str) -> Answer:
    """An answer that nobody here waits for any more; the visit itself goes on."""
    page = render_template(
        "foreign/lost.html", error=message(code), code=code, home=resume_path(handle)
    )
    return page, NotFound.status


def _foreign(kind: str) -> Verifier:
    """The verifier of this kind, which sends people away. Raises NotFound."""
    verifier = door(kind)
    if not isinstance(verifier, SchemeVerifier):
        raise NotFound("verifier_unknown")
    return verifier


def _sent(verifier: Verifier) -> Reply:
    """The fields of the form, or of the address. Raises TooLarge past the verifier's limit."""
    fields = request.form if request.method == "POST" else request.args
    if sum(len(v.encode()) for values in fields.listvalues() for v in values) > verifier.size_limit:
        raise TooLarge("too_many_bytes")
    repeated = frozenset(name for name, values in fields.lists() if len(values) > 1)
    return Reply(dict(fields.items()), {}, repeated)
