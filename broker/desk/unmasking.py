"""Telling an auditor who a person is: for a reason, with a second auditor's word, for a time."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit import store
from broker.audit.entry import to_text
from broker.audit.models import AuditSubject
from broker.desk import newest
from broker.desk.auditor import Reader
from broker.desk.door import Body, Visit, Whole
from broker.desk.models import Unmasking
from broker.desk.sight import Sight, covers, within
from broker.entropy import RandomBytes
from broker.errors import Conflict, NotAllowed, NotFound
from broker.feature import ClaimsAsked, claims_of
from broker.web.tools import tools

WAITS = timedelta(hours=24)
"""How long a request waits for the second auditor."""

TOLD = frozenset({"profile", "document"})
"""Scope values whose claims an unmasked person's auditor is told."""

WORDS: Final[dict[str, str]] = {
    "waiting": "waiting for a second auditor",
    "approved": "approved",
    "declined": "declined",
    "over": "over",
}
"""State → in words; English msgids."""


class Request(Body):
    """Who is asked about, and why; the reason must not name the person."""

    entry: Whole = Field(ge=0, le=2**53 - 1)
    reason: str = Field(min_length=10, max_length=1000, pattern=r"^[^\x00]+$")
    minutes: Whole = Field(ge=5, le=1440)


class Decision(Body):
    """The second auditor's word."""

    decision: Literal["approve", "decline"]


def ask(here: Visit, request: Request, draw: RandomBytes) -> Unmasking:
    """A request that waits for a second auditor. Raises NotAllowed for programs, NotFound."""
    _only_people(here.reader)
    found = store.entry(here.tx, request.entry, *within(here.sight))
    account = _account(here.tx, request.entry)
    row = Unmasking(
        id=entropy.token(draw, bits=128),
        entry=request.entry,
        client=found["entry"]["facts"].get("client"),
        reason=request.reason,
        minutes=request.minutes,
        requested_by=here.reader.name,
        requested=here.now,
        decided_by=None,
        decided=None,
        approved=None,
    )
    here.tx.add(row)
    digest = hashlib.sha256(request.reason.encode()).hexdigest()
    facts = {"unmasking": row.id, "index": row.entry, "reason_digest": digest, "account": account}
    here.record("unmask.requested", facts | {"minutes": row.minutes})
    return row


def find(tx: Session, name: str, sight: Sight) -> Unmasking:
    """The request. Raises NotFound for one out of sight too."""
    row = tx.get(Unmasking, name) if name.isprintable() else None
    if row is None or not covers(sight, row.client):
        raise NotFound("not_found")
    return row


def decide(here: Visit, row: Unmasking, decision: Decision) -> None:
    """The second auditor's word. Raises NotAllowed for one's own request, Conflict."""
    _only_people(here.reader)
    if row.requested_by == here.reader.name:
        raise NotAllowed("own_request", "a second auditor decides")
    if state(row, here.now) != "waiting":
        raise Conflict("unmasking_over", f"it is {state(row, here.now)}")
    row.decided_by, row.decided = here.reader.name, here.now
    row.approved = decision.decision == "approve"
    event = "unmask.approved" if row.approved else "unmask.declined"
    facts = {"unmasking": row.id, "index": row.entry, "account": _link(here.tx, row.entry)}
    here.record(event, facts)


def person(here: Visit, row: Unmasking) -> dict[str, Any]:
    """Who it is, to the auditor who asked, while the time runs.

    Raises NotAllowed for another auditor, Conflict before approval and after the time,
    NotFound once the person is erased.
    """
    if row.requested_by != here.reader.name:
        raise NotAllowed("not_your_request", "only who asked is told")
    if (now := state(row, here.now)) != "approved":
        raise Conflict("unmasking_over", f"it is {now}")
    account = _account(here.tx, row.entry)
    asked = ClaimsAsked(TOLD)
    told = claims_of(tools().features, here.tx, account, asked, here.now)
    facts = {"unmasking": row.id, "index": row.entry, "account": account, "claims": sorted(told)}
    here.record("unmask.read", facts)
    return {"unmasking": row.id, "entry": row.entry, "claims": told}


def listed(tx: Session, sight: Sight, after: str | None) -> tuple[list[Unmasking], str | None]:
    """A page of the requests in sight, the newest first, and where the next one begins.

    `after` is the request that the page before ended with. Raises NotFound.
    """
    last = None if after is None else find(tx, after, sight)
    those = select(Unmasking)
    if sight is not None:
        those = those.where(Unmasking.client.in_(sight))
    return newest.page(tx, those, Unmasking.requested, last)


def state(row: Unmasking, now: datetime) -> str:
    """Where the request stands: waiting, approved, declined, or over."""
    if row.decided is None:
        return "waiting" if now < row.requested + WAITS else "over"
    if not row.approved:
        return "declined"
    return "approved" if now < until(row) else "over"


def until(row: Unmasking) -> datetime:
    """The end of the time for which the person may be told, counted from the decision."""
    return (row.decided or row.requested) + timedelta(minutes=row.minutes)


def shown(row: Unmasking, now: datetime) -> dict[str, Any]:
    """The request as JSON shows it."""
    return {
        "id": row.id,
        "entry": row.entry,
        "reason": row.reason,
        "minutes": row.minutes,
        "state": state(row, now),
        "requested_by": row.requested_by,
        "requested": to_text(row.requested),
        "decided_by": row.decided_by,
        "decided": row.decided and to_text(row.decided),
        "until": to_text(until(row)) if row.approved else None,
    }


def _only_people(reader: Reader) -> None:
    if not reader.is_person:
        raise NotAllowed("people_only", "a program neither asks nor decides")


def _account(tx: Session, index: int) -> str:
    account = _link(tx, index)
    if account is None:
        raise NotFound("nobody_known", "the entry is about nobody, or about somebody erased")
    return account


def _link(tx: Session, index: int) -> str | None:
    return tx.scalar(select(AuditSubject.account_id).where(AuditSubject.idx == index))
