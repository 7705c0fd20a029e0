"""The sequencer: places for what was recorded, and a checkpoint when one is owed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from broker.audit import checkpoint, numbering
from broker.audit.entry import to_milliseconds
from broker.audit.models import AuditRefusal
from broker.audit.turn import one_appender

_REFUSED = select(AuditRefusal.id)
_TAKE_BACK = delete(AuditRefusal)


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the tree is behind: since how many seconds the oldest leaf waits, and how many do."""

    seconds: float
    staged: int


def sequence(tx: Session, now: datetime, most: int = numbering.BATCH) -> int:
    """How many staged leaves became entries, at most `most`; a checkpoint that was owed is made.

    Waits until nobody else appends. Raises RecordAltered where nothing may be appended.
    """
    connection = tx.connection()
    one_appender(connection)
    before = checkpoint.prove_whole(connection)
    count = numbering.number(connection, most)
    checkpoint.keep_up(tx, before, count, now)
    connection.execute(_TAKE_BACK)
    return count


def refuse(tx: Session, hint: str, now: datetime) -> None:
    """Let no process stage anything more, until a batch could be sequenced again."""
    connection = tx.connection()
    one_appender(connection)
    if connection.scalar(_REFUSED) is None:
        row = {"id": 1, "hint": hint, "time": to_milliseconds(now)}
        connection.execute(insert(AuditRefusal), row)


def is_due(tx: Session, now: datetime) -> bool:
    """Whether a leaf waits for its place, or the last entries too long for a checkpoint.

    And where nothing could be sequenced, whether now it can.
    """
    connection = tx.connection()
    waits = numbering.waits(connection) or checkpoint.is_owed(tx, now)
    return waits or connection.scalar(_REFUSED) is not None


def lag(tx: Session, now: datetime) -> Lag:
    """How far behind the tree is, for whoever watches over it."""
    connection = tx.connection()
    since = numbering.oldest(connection)
    if since is None:
        return Lag(0.0, 0)
    waited = (now - datetime.fromisoformat(since)).total_seconds()
    return Lag(max(0.0, waited), numbering.waiting(connection))
