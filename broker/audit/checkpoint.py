"""Signed heads of the record: stored before anyone sees them, never two roots for one size."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.orm import Session

from broker import serving
from broker.audit import mark, merkle, note, numbering
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

PROVED = "audit_proved"
"""Where an application remembers that `prove_once` has held."""

_Last = Row[int, str, bytes, datetime]
_EVER = "0001-01-01T00:00:00+00:00"
_FIRST = select(AuditEntry.time).where(AuditEntry.idx == 0)
_NEWEST = (
    select(AuditCheckpoint.size, AuditCheckpoint.note, AuditCheckpoint.root, AuditCheckpoint.time)
    .order_by(AuditCheckpoint.size.desc())
    .limit(1)
)
_AHEAD = select(AuditAhead.origin, AuditAhead.size)


class Stand(NamedTuple):
    """How far the record is: its newest checkpoint, and how many entries it has."""

    last: _Last | None
    size: int


def latest(tx: Session, now: datetime) -> str:
    """The signed checkpoint over every entry up to now, cosigned as far as it is by now.

    What was only staged is sequenced first, what this transaction recorded included. Made if the
    log has grown. Raises RecordAltered instead of signing what contradicts an
    earlier checkpoint, or what a restored backup has lost.
    """
    connection = tx.connection()
    one_appender(connection)
    prove_whole(connection)
    numbering.number_all(connection)
    last, size = _last(connection), numbering.size(connection)
    if last and last.size == size:
        return _with_cosignatures(connection, last)
    return _make(tx, last, size, now)


def recent(tx: Session, now: datetime, covering: int = 0) -> str:
    """A checkpoint over at least `covering` entries, at most 60 seconds and 256 entries old.

    Of those that were sequenced: whoever reads has caught up before (`worker.py`).

    Readers ask often, and every read is an entry: an answer that stays the same for a
    minute can be cached. Raises RecordAltered as `latest` does.
    """
    connection = tx.connection()
    last, size = _last(connection), numbering.size(connection)
    if last is None or size < last.size:
        return latest(tx, now)
    fresh = now < last.time + MAX_AGE and size < last.size + MAX_GROWTH
    return (
        _with_cosignatures(connection, last) if fresh and covering <= last.size else latest(tx, now)
    )


def keep_up(tx: Session, before: Stand, grown: int, now: datetime) -> None:
    """Sign a checkpoint if the last is 60 seconds or 256 entries old and there are newer ones.

    Called with every batch of `grown` entries, after `prove_whole` said how it was before them.
    Raises RecordAltered as `latest` does, with every batch.
    """
    connection = tx.connection()
    last, size = before.last, before.size + grown
    if _owes(connection, last, size, now):
        _make(tx, last, size, now)
    else:
        _prove_unbroken(connection, mark.read(), last, size)


def is_owed(tx: Session, now: datetime) -> bool:
    """Whether `keep_up` would sign: the last entries may have nobody coming after them."""
    connection = tx.connection()
    return _owes(connection, _last(connection), numbering.size(connection), now)


def prove_whole(connection: Connection) -> Stand:
    """How far the record is. Raises RecordAltered where fewer entries are left than were signed.

    Called before others take their places, when nobody could see it any more.
    """
    last, size = _last(connection), numbering.size(connection)
    if last is not None and size < last.size:
        raise RecordAltered(f"{last.size} entries were signed, {size} are left")
    return Stand(last, size)


def prove_once(tx: Session) -> None:
    """Once in a process: that nothing which was signed is missing. Raises RecordAltered."""
    if PROVED not in serving.extensions():
        connection = tx.connection()
        high = mark.read()  # first: it never runs ahead of what is committed
        _prove_unbroken(connection, high, _last(connection), numbering.size(connection))
        serving.extensions()[PROVED] = True


def covered(tx: Session) -> int:
    """How many entries the newest checkpoint covers."""
    return tx.scalar(select(func.max(AuditCheckpoint.size))) or 0


def log_key() -> note.VerifierKey:
    """What verifies this log's checkpoints; auditors are given it once, by another way."""
    return signer(origin_at(tools().clock()))


def _make(tx: Session, last: _Last | None, size: int, now: datetime) -> str:
    connection = tx.connection()
    nodes = StoredNodes(connection)
    if last is not None and merkle.root(nodes, last.size) != last.root:
        raise RecordAltered(f"the first {last.size} entries are not those that were signed")
    _prove_unbroken(connection, mark.read(), last, size)
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


def _owes(connection: Connection, last: _Last | None, size: int, now: datetime) -> bool:
    covered = last.size if last else 0
    if size <= covered:
        return False
    if size >= covered + MAX_GROWTH:
        return True
    # Before the first checkpoint there is the first entry.
    since = last.time if last else datetime.fromisoformat(connection.scalar(_FIRST) or _EVER)
    return now >= since + MAX_AGE


def _prove_unbroken(
    connection: Connection, high: note.Checkpoint | None, last: _Last | None, size: int
) -> None:
    """Raises RecordAltered where more was signed, or seen by a witness, than there is."""
    for origin, seen in connection.execute(_AHEAD):
        if shards().fullmatch(origin):
            raise RecordAltered(
                f"a witness has seen {seen} entries of {origin}: give it a new name"
            )
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
    return connection.execute(_NEWEST).first()
