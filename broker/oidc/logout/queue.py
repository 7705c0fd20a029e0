"""The notices that are still to be delivered: taken by one worker at a time, tried for a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit.log import record
from broker.entropy import RandomBytes
from broker.feature import Sample
from broker.measuring.catalogue import QUEUE, QUEUE_AGE
from broker.oidc.logout.models import LogoutNotice

LEASE = timedelta(seconds=60)
"""How long a notice belongs to the worker that took it: longer than any try may last."""

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP = timedelta(days=1)

SILENT = "upstream_unavailable"
"""What is wrong with a service that does not answer at all."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice in the hands of one worker; `tries` counts this one."""

    id: str
    client_id: str
    subject: str
    sid: str | None
    created: datetime
    tries: int


def add(  # noqa: PLR0913  a row has as many columns
    tx: Session, client_id: str, subject: str, sid: str | None, now: datetime, draw: RandomBytes
) -> None:
    """Queue a notice, due at once."""
    row = LogoutNotice(
        id=entropy.token(draw),
        client_id=client_id,
        subject=subject,
        sid=sid,
        created=now,
        due=now,
        tries=0,
    )
    tx.add(row)


def next_due(tx: Session, now: datetime) -> str | None:
    """The name of the notice that has waited longest, or None where none is due."""
    due = select(LogoutNotice.id).where(LogoutNotice.due <= now)
    return tx.scalar(due.order_by(LogoutNotice.due, LogoutNotice.id).limit(1))


def take(tx: Session, notice_id: str, now: datetime) -> Notice | None:
    """The notice, for the caller alone; None where another worker was quicker."""
    statement = (
        update(LogoutNotice)
        .where(LogoutNotice.id == notice_id, LogoutNotice.due <= now)
        .values(due=now + LEASE, tries=LogoutNotice.tries + 1)
        .returning(
            LogoutNotice.id,
            LogoutNotice.client_id,
            LogoutNotice.subject,
            LogoutNotice.sid,
            LogoutNotice.created,
            LogoutNotice.tries,
        )
        .execution_options(synchronize_session=False)
    )
    row = tx.execute(statement).first()
    return None if row is None else Notice(*row)


def settle(tx: Session, notice: Notice, fault: str | None, now: datetime) -> None:
    """What became of the try: done, to be tried again, or given up; the ends are on record."""
    facts: dict[str, object] = {"client": notice.client_id, "tries": notice.tries}
    if fault is None:
        record(tx, "logout.told", facts, now)
        _drop(tx, notice)
    elif now + wait(notice.tries) >= notice.created + GIVE_UP:
        give_up(tx, notice, fault, now)
    else:
        _postpone(tx, notice, fault, now + wait(notice.tries))


def give_up(tx: Session, notice: Notice, reason: str, now: datetime) -> None:
    """The service will not be told; the record says why."""
    facts: dict[str, object] = {"client": notice.client_id, "tries": notice.tries}
    record(tx, "logout.refused", {**facts, "reason": reason}, now)
    _drop(tx, notice)


def gauges(tx: Session, now: datetime) -> Iterator[Sample]:
    """How many notices wait, and how long the oldest has."""
    length, oldest = tx.execute(select(func.count(), func.min(LogoutNotice.created))).one()
    yield QUEUE, ("sign_out",), length
    yield QUEUE_AGE, ("sign_out",), (now - oldest).total_seconds() if oldest else 0.0


def wait(tries: int) -> timedelta:
    """How long until the next try: twice as long each time, at most an hour."""
    return min(FIRST_WAIT * int(2 ** min(tries - 1, 20)), LONGEST_WAIT)


def _postpone(tx: Session, notice: Notice, fault: str, until: datetime) -> None:
    tx.execute(update(LogoutNotice).where(LogoutNotice.id == notice.id).values(due=until))
    if fault == SILENT:
        # Every try at a service that does not answer lasts until the deadline: its other notices
        # wait as well, so that nobody else's do.
        others = LogoutNotice.client_id == notice.client_id, LogoutNotice.due < until
        tx.execute(update(LogoutNotice).where(*others).values(due=until))


def _drop(tx: Session, notice: Notice) -> None:
    tx.execute(delete(LogoutNotice).where(LogoutNotice.id == notice.id))
