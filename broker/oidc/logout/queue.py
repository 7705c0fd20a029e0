"""The notices that are still to be delivered: taken by one worker at a time, tried for a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from broker import entropy, outbox
from broker.audit.log import record
from broker.entropy import RandomBytes
from broker.feature import Sample
from broker.oidc.logout.models import LogoutNotice
from broker.outbox import Pace

PACE = Pace(
    lease=timedelta(seconds=60),  # longer than any try may last
    first_wait=timedelta(seconds=10),
    longest_wait=timedelta(hours=1),
    give_up=timedelta(days=1),
)

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
    return outbox.next_due(tx, LogoutNotice, now)


def take(tx: Session, notice_id: str, now: datetime) -> Notice | None:
    """The notice, for the caller alone; None where another worker was quicker."""
    row = outbox.take(tx, LogoutNotice, notice_id, now, PACE.lease)
    if row is None:
        return None
    return Notice(row.id, row.client_id, row.subject, row.sid, row.created, row.tries)


def settle(tx: Session, notice: Notice, fault: str | None, now: datetime) -> None:
    """What became of the try: done, to be tried again, or given up; the ends are on record."""
    if fault is None:
        record(tx, "logout.told", _facts(notice), now)
        outbox.drop(tx, LogoutNotice, notice.id)
    elif (again := PACE.again(notice.created, notice.tries, now)) is None:
        give_up(tx, notice, fault, now)
    else:
        _postpone(tx, notice, fault, again)


def give_up(tx: Session, notice: Notice, reason: str, now: datetime) -> None:
    """The service will not be told; the record says why."""
    record(tx, "logout.refused", {**_facts(notice), "reason": reason}, now)
    outbox.drop(tx, LogoutNotice, notice.id)


def gauges(tx: Session, now: datetime) -> Iterator[Sample]:
    """How many notices wait, and how long the oldest has."""
    return outbox.gauges(tx, LogoutNotice, "sign_out", now)


def _facts(notice: Notice) -> dict[str, object]:
    return {"client": notice.client_id, "tries": notice.tries}


def _postpone(tx: Session, notice: Notice, fault: str, until: datetime) -> None:
    outbox.postpone(tx, LogoutNotice, notice.id, until)
    if fault == SILENT:
        # Every try at a service that does not answer lasts until the deadline: its other notices
        # wait as well, so that nobody else's do.
        others = LogoutNotice.client_id == notice.client_id, LogoutNotice.due < until
        tx.execute(update(LogoutNotice).where(*others).values(due=until))
