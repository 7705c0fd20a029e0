"""Staged leaves take their places: the next indexes, in the order in which they were staged."""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, delete, func, select

from broker.audit.bulk import Rows
from broker.audit.entry import Projection, project, read_leaf
from broker.audit.merkle import leaf_hash
from broker.audit.models import AuditEntry, AuditStaged, AuditSubject
from broker.audit.tree import RecordAltered, complete_tiles, octets

BATCH = 1024
"""Entries of one transaction, at most (decision 85)."""

_TAKEN = (
    AuditStaged.id,
    octets(AuditStaged.leaf),
    AuditStaged.account_id,
    AuditStaged.salt,
    AuditStaged.subject,
)
_FIRST = select(AuditStaged.id).order_by(AuditStaged.id)
_ONE = _FIRST.limit(1)
_OLDEST = select(octets(AuditStaged.leaf)).order_by(AuditStaged.id).limit(1)
# One statement takes them away and tells what they were: nothing can change in between.
_THOSE = _FIRST.limit(bindparam("most", type_=Integer))
_TAKE = delete(AuditStaged).where(AuditStaged.id.in_(_THOSE)).returning(*_TAKEN)
_LAST = select(AuditEntry.idx, AuditEntry.latest).order_by(AuditEntry.idx.desc()).limit(1)
_WAITING = select(func.count()).select_from(AuditStaged)
_SIZE = select(func.max(AuditEntry.idx))

_STORED = ("idx", "leaf", "leaf_hash", "latest", *Projection._fields)  # named as the columns are
_APPEND = Rows(*(getattr(AuditEntry, name) for name in _STORED))
_LINK = Rows(AuditSubject.idx, AuditSubject.account_id, AuditSubject.salt, AuditSubject.subject)
_HASH = _STORED.index("leaf_hash")


def waits(connection: Connection) -> bool:
    """Whether a leaf waits for its place."""
    return connection.scalar(_ONE) is not None


def waiting(connection: Connection) -> int:
    """How many leaves wait for their places."""
    return connection.scalar(_WAITING) or 0


def oldest(connection: Connection) -> str | None:
    """The time of the leaf that has waited longest, as entries write theirs; None: none waits."""
    leaf = connection.scalar(_OLDEST)
    return None if leaf is None else str(_read(leaf)["time"])


def size(connection: Connection) -> int:
    """How many places the tree has."""
    last: int | None = connection.scalar(_SIZE)
    return 0 if last is None else last + 1


def number(connection: Connection, most: int = BATCH) -> int:
    """How many leaves, at most `most`, became entries; tiles that they filled are kept.

    Only the one appender may do it (`turn.py`). Raises RecordAltered where a leaf is not one.
    """
    taken = sorted(connection.execute(_TAKE, {"most": most}).all(), key=itemgetter(0))
    if not taken:
        return 0
    last = connection.execute(_LAST).first()
    first, latest = (0, "") if last is None else (last.idx + 1, last.latest)
    entries = list(_entries(first, latest, map(itemgetter(1), taken)))
    _APPEND.write(connection, entries)
    links = [(index, *row[2:]) for index, row in enumerate(taken, first) if row[2] is not None]
    _LINK.write(connection, links)
    complete_tiles(connection, first, [entry[_HASH] for entry in entries])
    return len(taken)


def number_all(connection: Connection) -> None:
    """Give every leaf that waits its place; the same holds as for `number`."""
    while number(connection) == BATCH:
        pass


def _entries(first: int, latest: str, leaves: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
    for index, leaf in enumerate(leaves, first):
        told = project(_read(leaf))
        latest = max(latest, told.time)
        yield index, leaf, leaf_hash(leaf), latest, *told


def _read(leaf: bytes) -> dict[str, Any]:
    try:
        return read_leaf(leaf)
    except ValueError as error:
        raise RecordAltered("a staged leaf cannot be read") from error
