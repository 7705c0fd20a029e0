"""Signed heads of the record: stored before anyone sees them, never two roots for one size."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.orm import Session

from broker.audit import merkle, note
from broker.audit.entry import to_milliseconds
from broker.audit.log import one_appender
from broker.audit.models import AuditCheckpoint, AuditEntry
from broker.audit.tree import RecordAltered, StoredNodes
from broker.web.tools import tools

MAX_AGE = timedelta(seconds=60)
MAX_GROWTH = 256
"""Entries."""


def latest(tx: Session, now: datetime) -> str:
    """The signed checkpoint over every entry up to now; made if the log has grown.

    Raises RecordAltered instead of signing what contradicts an earlier checkpoint.
    """
    connection = tx.connection()
    one_appender(connection)
    last, size = _last(connection), _size(connection)
    return last.note if last and last.size == size else _make(connection, last, size, now)


def recent(tx: Session, now: datetime, covering: int = 0) -> str:
    """A checkpoint over at least `covering` entries, at most 60 seconds and 256 entries old.

    Readers ask often, and every read is an entry: an answer that stays the same for a
    minute can be cached. Raises RecordAltered as `latest` does.
    """
    connection = tx.connection()
    last, size = _last(connection), _size(connection)
    if last is None or size < last.size:
        return latest(tx, now)
    fresh = now < last.time + MAX_AGE and size < last.size + MAX_GROWTH
    return last.note if fresh and covering <= last.size else latest(tx, now)


def covered(tx: Session) -> int:
    """How many entries the newest checkpoint covers."""
    return tx.scalar(select(func.max(AuditCheckpoint.size))) or 0


def log_key() -> note.VerifierKey:
    """What verifies this log's checkpoints; auditors are given it once, by another way."""
    settings = tools().settings
    return note.verifier_key(settings.audit.origin or settings.rp_id, tools().keyring.checkpoint)


def _make(
    connection: Connection, last: Row[int, str, bytes, datetime] | None, size: int, now: datetime
) -> str:
    nodes = StoredNodes(connection)
    if last is not None:
        if size < last.size:
            raise RecordAltered(f"{last.size} entries were signed, {size} are left")
        if merkle.root(nodes, last.size) != last.root:
            raise RecordAltered(f"the first {last.size} entries are not those that were signed")
    key = log_key()
    root = merkle.root(nodes, size)
    text = note.Checkpoint(key.name, size, root).text()
    signed = note.sign(text, key.name, tools().keyring.checkpoint)
    row = {"size": size, "root": root, "note": signed, "time": to_milliseconds(now)}
    connection.execute(insert(AuditCheckpoint), row)
    return signed


def _last(connection: Connection) -> Row[int, str, bytes, datetime] | None:
    query = select(
        AuditCheckpoint.size, AuditCheckpoint.note, AuditCheckpoint.root, AuditCheckpoint.time
    )
    return connection.execute(query.order_by(AuditCheckpoint.size.desc()).limit(1)).first()


def _size(connection: Connection) -> int:
    last: int | None = connection.scalar(select(func.max(AuditEntry.idx)))
    return 0 if last is None else last + 1
