"""The index columns written anew out of the entries, which alone are the record."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select, update

from broker.audit.entry import project, read_leaf
from broker.audit.merkle import leaf_hash
from broker.audit.models import AuditEntry
from broker.audit.shown import COLUMNS, as_stored

_BATCH = 1000


def project_anew(connection: Connection) -> int:
    """How many entries had other index columns than they ask for; they have them now.

    An entry that is not the one that was hashed is left alone: `audit verify` names it.
    """
    changed, latest = 0, _pruned_latest(connection)
    for rows in _batches(connection):
        for row in rows:
            try:
                told = project(read_leaf(row.leaf))
            except ValueError:
                continue
            if leaf_hash(row.leaf) != row.leaf_hash:
                continue
            latest = max(latest, told.time)
            if told != as_stored(row) or row.latest != latest:
                those = update(AuditEntry).where(AuditEntry.idx == row.idx)
                connection.execute(those.values(**told._asdict(), latest=latest))
                changed += 1
    return changed


def is_unfilled(connection: Connection) -> bool:
    """Whether the oldest entry is from before there were all of the index columns."""
    oldest = select(AuditEntry.latest).order_by(AuditEntry.idx).limit(1)
    return connection.scalar(oldest) == ""


def _pruned_latest(connection: Connection) -> str:
    """The latest time of entries that were pruned, as the first one left remembers it."""
    first = select(AuditEntry.latest).where(AuditEntry.idx > 0).order_by(AuditEntry.idx).limit(1)
    whole = select(AuditEntry.idx).where(AuditEntry.idx == 0)
    return "" if connection.scalar(whole) is not None else connection.scalar(first) or ""


def _batches(connection: Connection) -> Iterator[list[Row[*tuple[Any, ...]]]]:
    after = -1
    while True:
        query = select(*COLUMNS, AuditEntry.latest).where(AuditEntry.idx > after)
        rows = list(connection.execute(query.order_by(AuditEntry.idx).limit(_BATCH)))
        if not rows:
            return
        after = rows[-1].idx
        yield rows
