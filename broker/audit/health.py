"""How the record fares: how long entries wait for a checkpoint, and whether it is what was signed.

A few reads and no write: probes ask every few seconds.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from broker.audit import mark, merkle, numbering
from broker.audit.models import AuditCheckpoint, AuditEntry
from broker.audit.tree import RecordAltered, StoredNodes
from broker.feature import Sample
from broker.measuring.catalogue import CHECKPOINT_AGE, RECORD_ENTRIES, RECORD_LAG

_NOTHING = timedelta(0)


def lag(tx: Session, now: datetime) -> timedelta:
    """How long the oldest entry has waited that no checkpoint covers; zero where all are.

    One that still waits for its place in the tree is not covered either.
    """
    placed = select(AuditEntry.time).where(AuditEntry.idx == _covered(tx))
    oldest = tx.scalar(placed) or numbering.oldest(tx.connection())
    return _NOTHING if oldest is None else max(now - datetime.fromisoformat(oldest), _NOTHING)


def is_sound(tx: Session, _now: datetime) -> bool:
    """Whether the entries are still those of the newest checkpoint, and of the mark.

    False for a record that was altered, and for a restored one that is behind what was signed.
    """
    connection = tx.connection()
    last = connection.execute(
        select(AuditCheckpoint.size, AuditCheckpoint.root)
        .order_by(AuditCheckpoint.size.desc())
        .limit(1)
    ).first()
    try:
        high = mark.read()
        signed = {(last.size, last.root)} if last else set()
        signed |= {(high.size, high.root)} if high else set()
        return all(_has(connection, size, root) for size, root in signed)
    except RecordAltered:
        return False


def gauges(tx: Session, now: datetime) -> Iterator[Sample]:
    """Size, lag and the age of the newest checkpoint."""
    connection = tx.connection()
    yield RECORD_ENTRIES, (), float(numbering.size(connection) + numbering.waiting(connection))
    yield RECORD_LAG, (), lag(tx, now).total_seconds()
    newest = tx.scalar(select(AuditCheckpoint.time).order_by(AuditCheckpoint.size.desc()).limit(1))
    if newest is not None:
        yield CHECKPOINT_AGE, (), max(now - newest, _NOTHING).total_seconds()


def _covered(tx: Session) -> int:
    """How many entries the newest checkpoint covers: the index of the first that it does not."""
    return tx.scalar(select(func.max(AuditCheckpoint.size))) or 0


def _has(connection: Connection, size: int, root: bytes) -> bool:
    if size == 0:
        return True
    there = connection.scalar(select(AuditEntry.idx).where(AuditEntry.idx == size - 1))
    return there is not None and merkle.root(StoredNodes(connection), size) == root
