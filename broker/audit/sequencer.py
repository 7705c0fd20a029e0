"""The sequencer: places for what was recorded, and a checkpoint when one is owed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from broker.audit import checkpoint, numbering
from broker.audit.turn import one_appender


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
    return count


def is_due(tx: Session, now: datetime) -> bool:
    """Whether a leaf waits for its place, or the last entries too long for a checkpoint."""
    return numbering.waits(tx.connection()) or checkpoint.is_owed(tx, now)


def lag(tx: Session, now: datetime) -> Lag:
    """How far behind the tree is, for whoever watches over it."""
    connection = tx.connection()
    since = numbering.oldest(connection)
    if since is None:
        return Lag(0.0, 0)
    waited = (now - datetime.fromisoformat(since)).total_seconds()
    return Lag(max(0.0, waited), numbering.waiting(connection))
