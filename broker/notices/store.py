"""Addresses, and letters that wait."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from broker import outbox
from broker.feature import Sample
from broker.notices.models import Notice, NoticeAddress


def address_of(tx: Session, account_id: str, *, lock: bool = False) -> NoticeAddress | None:
    """The account's row, for this transaction alone where `lock`."""
    return tx.get(NoticeAddress, account_id, with_for_update=lock)


def gauges(tx: Session, now: datetime) -> Iterator[Sample]:
    """How many letters wait, and how long the oldest has."""
    return outbox.gauges(tx, Notice, "mail", now)


def erase(tx: Session, account_id: str) -> None:
    """Remove the account's address and every letter to it."""
    tx.execute(delete(Notice).where(Notice.account_id == account_id))
    tx.execute(delete(NoticeAddress).where(NoticeAddress.account_id == account_id))
