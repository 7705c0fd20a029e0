"""Signed heads of the record: stored before anyone sees them, never two roots for one size."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import Connection, Row, event, func, insert, select
from sqlalchemy.orm import Session

from broker.audit import mark, merkle, note
from broker.audit.entry import to_milliseconds
from broker.audit.models import AuditAhead, AuditCheckpoint, AuditCosignature, AuditEntry
from broker.audit.origin import origin_at, shards, signer
from broker.audit.succession import close
from broker.audit.tree import RecordAltered, StoredNodes
from broker.audit.turn import one_appender
from broker.web.tools import tools

MAX_AGE = timedelta(seconds=60)
MAX_GROWTH = 256
"""Entries."""

_DUE = "audit_due"
_Last = Row[int, str, bytes, datetime]


@dataclass(slots=True)
class _Due:
    """When the next checkpoint is owed, as this process knows; others may have made it."""

    size: int
    time: datetime
    known: bool = True


@event.listens_for(Session, "after_rollback")
def _ask_again(tx: Session) -> None:
    # What was signed in a transaction that failed was never signed.
    if (due := tx.info.pop(_DUE, None)) is not None:
        due.known = False


def latest(tx: Session, now: datetime) -> str:
    """The signed checkpoint over every entry up to now, cosigned as far as it is by now.

    Made if the log has grown. Raises RecordAltered instead of signing what contradicts an
    earlier checkpoint, or what a restored backup has lost.
    """
    connection = tx.connection()
    one_appender(connection)
    last, size = _last(connection), _size(connection)
    if last and last.size == size:
        return _with_cosignatures(connection, last)
    return _make(tx, last, size, now)


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
    return (
        _with_cosignatures(connection, last) if fresh and covering <= last.size else latest(tx, now)
    )


def keep_up(tx: Session, size: int, now: datetime) -> None:
    """Sign a checkpoint over `size` entries if the last is 60 seconds or 256 entries old.

    Called with every entry; asks the database only when this process thinks that one is due.
    Raises RecordAltered as `latest` does, at the first entry of a process too.
    """
    due: _Due | None = current_app.extensions.get(_DUE)
    if due is not None and due.known and size < due.size and now < due.time:
        return
    last = _last(tx.connection())
    if due is None:
        _prove_unbroken(tx.connection(), last, size)
        due = current_app.extensions[_DUE] = _Due(MAX_GROWTH, now + MAX_AGE)
    covered, since = (last.size, last.time) if last else (0, due.time - MAX_AGE)
    if size >= covered + MAX_GROWTH or now >= since + MAX_AGE:
        _make(tx, last, size, now)
        covered, since = size, now
    due.size, due.time, due.known = covered + MAX_GROWTH, since + MAX_AGE, True
    tx.info[_DUE] = due


def covered(tx: Session) -> int:
    """How many entries the newest checkpoint covers."""
    return tx.scalar(select(func.max(AuditCheckpoint.size))) or 0


def log_key() -> note.VerifierKey:
    """What verifies this log's checkpoints; auditors are given it once, by another way."""
    return signer(origin_at(tools().clock()))


def _make(tx: Session, last: _Last | None, size: int, now: datetime) -> str:
    connection = tx.connection()
    nodes = StoredNodes(connection)
    if last is not None:
        if size < last.size:
            raise RecordAltered(f"{last.size} entries were signed, {size} are left")
        if merkle.root(nodes, last.size) != last.root:
            raise RecordAltered(f"the first {last.size} entries are not those that were signed")
    _prove_unbroken(connection, last, size)
    origin = origin_at(now)
    if last is not None and (before := last.note.partition("\n")[0]) != origin:
        origin = close(connection, before, origin, last.note, now)
    root = merkle.root(nodes, size)
    text = note.Checkpoint(origin, size, root).text()
    signed = note.sign(text, origin, tools().keyring.checkpoint)
    row = {"size": size, "root": root, "note": signed, "time": to_milliseconds(now)}
    connection.execute(insert(AuditCheckpoint), row)
    mark.raise_after_commit(tx, signed)
    return signed


def _prove_unbroken(connection: Connection, last: _Last | None, size: int) -> None:
    """Raises RecordAltered where more was signed, or seen by a witness, than there is."""
    for origin, seen in connection.execute(select(AuditAhead.origin, AuditAhead.size)):
        if shards().fullmatch(origin):
            raise RecordAltered(
                f"a witness has seen {seen} entries of {origin}: give it a new name"
            )
    high = mark.read()
    if high is None:
        return
    if size < high.size:
        raise RecordAltered(f"{high.size} entries were signed, {size} are left: restored?")
    if last is not None and last.size == high.size:
        root = last.root
    else:
        root = merkle.root(StoredNodes(connection), high.size)
    if root != high.root:
        raise RecordAltered(f"the first {high.size} entries are not those of the mark: restored?")


def _with_cosignatures(connection: Connection, last: _Last) -> str:
    lines = connection.scalars(
        select(AuditCosignature.line)
        .where(AuditCosignature.size == last.size)
        .order_by(AuditCosignature.witness)
    )
    return "".join((last.note, *lines))


def _last(connection: Connection) -> _Last | None:
    query = select(
        AuditCheckpoint.size, AuditCheckpoint.note, AuditCheckpoint.root, AuditCheckpoint.time
    )
    return connection.execute(query.order_by(AuditCheckpoint.size.desc()).limit(1)).first()


def _size(connection: Connection) -> int:
    last: int | None = connection.scalar(select(func.max(AuditEntry.idx)))
    return 0 if last is None else last + 1
