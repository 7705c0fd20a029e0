"""The transactional outbox: what somebody outside must be told, until they were or it is too late.

A row is put there in the transaction in which it happened. A worker takes it, tries with no
transaction open, and drops or postpones it; one that dies leaves it due when its lease is over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import String, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from broker.db import Base, UtcDateTime
from broker.feature import Sample
from broker.measuring.catalogue import QUEUE, QUEUE_AGE


class Outgoing(Base):
    """What every table of an outbox has."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    due: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When it may be tried next; moved ahead by whoever takes it, so that nobody else does."""
    tries: Mapped[int]
    """Those of now included, while somebody has it."""


R = TypeVar("R", bound=Outgoing)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one worker may have a row, and how long it is tried."""

    lease: timedelta
    first_wait: timedelta
    longest_wait: timedelta
    give_up: timedelta

    def wait(self, tries: int) -> timedelta:
        """How long until the next try: twice as long each time, up to the longest."""
        return min(self.first_wait * int(2 ** min(tries - 1, 20)), self.longest_wait)

    def again(self, created: datetime, tries: int, now: datetime) -> datetime | None:
        """When to try again, or None where it would be too late."""
        then = now + self.wait(tries)
        return then if then < created + self.give_up else None


def next_due(tx: Session, table: type[R], now: datetime) -> str | None:
    """The name of the row that has waited longest, or None where none is due."""
    due = select(table.id).where(table.due <= now)
    return tx.scalar(due.order_by(table.due, table.id).limit(1))


def take(tx: Session, table: type[R], name: str, now: datetime, lease: timedelta) -> R | None:
    """The row, for the caller alone until the lease is over; None if another was quicker."""
    statement = (
        update(table)
        .where(table.id == name, table.due <= now)
        .values(due=now + lease, tries=table.tries + 1)
        .returning(table.id)
        .execution_options(synchronize_session=False)
    )
    return None if tx.scalar(statement) is None else tx.get(table, name, populate_existing=True)


def postpone(tx: Session, table: type[R], name: str, until: datetime) -> None:
    """Try it again later."""
    tx.execute(update(table).where(table.id == name).values(due=until))


def drop(tx: Session, table: type[R], name: str) -> None:
    """Forget it."""
    tx.execute(delete(table).where(table.id == name))


def gauges(tx: Session, table: type[R], label: str, now: datetime) -> Iterator[Sample]:
    """How many rows wait, and how many seconds the oldest has."""
    length, oldest = tx.execute(select(func.count(), func.min(table.created))).one()
    yield QUEUE, (label,), length
    yield QUEUE_AGE, (label,), (now - oldest).total_seconds() if oldest else 0.0
