"""Staged leaves take their places: the next indexes, in the order in which they were staged."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, delete, func, insert, select

from broker.audit.entry import project, read_leaf
from broker.audit.merkle import leaf_hash
from broker.audit.models import AuditEntry, AuditStaged, AuditSubject
from broker.audit.tree import RecordAltered, complete_tiles, octets

BATCH = 256
"""Entries of one transaction (decision 0061)."""

_Row = Row[*tuple[Any, ...]]

_ROWS = (
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
_TAKE = delete(AuditStaged).where(AuditStaged.id.in_(_THOSE)).returning(*_ROWS)
_LAST = select(AuditEntry.idx, AuditEntry.latest).order_by(AuditEntry.idx.desc()).limit(1)
_APPEND = insert(AuditEntry)
_LINK = insert(AuditSubject)


def waits(connection: Connection) -> bool:
    """Whether a leaf waits for its place."""
    return connection.scalar(_ONE) is not None


def waiting(connection: Connection) -> int:
    """How many leaves wait for their places."""
    return connection.scalar(select(func.count()).select_from(AuditStaged)) or 0


def oldest(connection: Connection) -> str | None:
    """The time of the leaf that has waited longest, as entries write theirs; None: none waits."""
    leaf = connection.scalar(_OLDEST)
    return None if leaf is None else str(_read(leaf)["time"])


def size(connection: Connection) -> int:
    """How many places the tree has."""
    last: int | None = connection.scalar(select(func.max(AuditEntry.idx)))
    return 0 if last is None else last + 1


def number(connection: Connection, most: int = BATCH) -> int:
    """How many leaves, at most `most`, became entries; tiles that they filled are kept.

    Only the one appender may do it (`turn.py`). Raises RecordAltered where a leaf is not one.
    """
    taken = sorted(connection.execute(_TAKE, {"most": most}))
    if not taken:
        return 0
    last = connection.execute(_LAST).first()
    first, latest = (0, "") if last is None else (last.idx + 1, last.latest)
    connection.execute(_APPEND, _entries(first, latest, taken))
    if links := _links(first, taken):
        connection.execute(_LINK, links)
    complete_tiles(connection, first, first + len(taken))
    return len(taken)


def number_all(connection: Connection) -> None:
    """Give every leaf that waits its place; the same holds as for `number`."""
    while number(connection) == BATCH:
        pass


def _entries(first: int, latest: str, taken: Iterable[_Row]) -> list[dict[str, Any]]:
    entries = []
    for index, row in enumerate(taken, first):
        told = project(_read(row.leaf))
        latest = max(latest, told.time)
        hashed = {"idx": index, "leaf": row.leaf, "leaf_hash": leaf_hash(row.leaf)}
        # A projection's names are those of the columns.
        entries.append({**hashed, "latest": latest, **told._asdict()})
    return entries


def _links(first: int, taken: Iterable[_Row]) -> list[dict[str, Any]]:
    return [
        {"idx": index, "account_id": row.account_id, "salt": row.salt, "subject": row.subject}
        for index, row in enumerate(taken, first)
        if row.account_id is not None
    ]


def _read(leaf: bytes) -> dict[str, Any]:
    try:
        return read_leaf(leaf)
    except ValueError as error:
        raise RecordAltered("a staged leaf cannot be read") from error
