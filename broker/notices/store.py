"""Queries on addresses and on letters that wait."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from broker.feature import Sample
from broker.measuring.catalogue import QUEUE, QUEUE_AGE
from broker.notices.models import Notice, NoticeAddress


def address_of(tx: Session, account_id: str, *, lock: bool = False) -> NoticeAddress | None:
    """The account's row, for this transaction alone where `lock`."""
    return tx.get(NoticeAddress, account_id, with_for_update=lock)


def next_due(tx: Session, now: datetime) -> str | None:
    """The name of the letter that has waited longest, or None where none is due."""
    due = select(Notice.id).where(Notice.due <= now)
    return tx.scalar(due.order_by(Notice.due, Notice.id).limit(1))


def take(tx: Session, notice_id: str, now: datetime, lease: timedelta) -> Notice | None:
    """The letter, for the caller alone until the lease is over; None if another was quicker."""
    statement = (
        update(Notice)
        .where(Notice.id == notice_id, Notice.due <= now)
        .values(due=now + lease, tries=Notice.tries + 1)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    )
    return None if tx.scalar(statement) is None else tx.get(Notice, notice_id)


def postpone(tx: Session, notice_id: str, until: datetime) -> None:
    """Try the letter again later."""
    tx.execute(update(Notice).where(Notice.id == notice_id).values(due=until))


def drop(tx: Session, notice_id: str) -> bool:
    """Forget the letter; returns whether it was still there."""
    gone = tx.execute(delete(Notice).where(Notice.id == notice_id).returning(Notice.id))
    return gone.first() is not None


def gauges(tx: Session, now: datetime) -> Iterator[Sample]:
    """How many letters wait, and how long the oldest has."""
    length, oldest = tx.execute(select(func.count(), func.min(Notice.created))).one()
    yield QUEUE, ("mail",), length
    yield QUEUE_AGE, ("mail",), (now - oldest).total_seconds() if oldest else 0.0


def erase(tx: Session, account_id: str) -> None:
    """Remove the account's address and every letter to it."""
    tx.execute(delete(Notice).where(Notice.account_id == account_id))
    tx.execute(delete(NoticeAddress).where(NoticeAddress.account_id == account_id))
