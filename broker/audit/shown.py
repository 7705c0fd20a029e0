"""An entry as it leaves the house: held against its own bytes first, column by column."""

from operator import attrgetter
from typing import Any

from sqlalchemy import Row

from broker.audit import merkle
from broker.audit.entry import Projection, project, read_leaf
from broker.audit.models import AuditEntry
from broker.audit.note import encode
from broker.audit.tree import RecordAltered, octets

PROJECTED = (
    AuditEntry.time,
    AuditEntry.event,
    AuditEntry.client,
    AuditEntry.level,
    AuditEntry.outcome,
    AuditEntry.grant_id,
    AuditEntry.evidence,
    AuditEntry.kind,
    AuditEntry.reason,
    AuditEntry.assertion,
)
"""The index columns, in the order of `Projection`."""

COLUMNS = (AuditEntry.idx, octets(AuditEntry.leaf), octets(AuditEntry.leaf_hash), *PROJECTED)


_STORED = attrgetter(*(column.key for column in PROJECTED))


def as_stored(row: Row[*tuple[Any, ...]]) -> Projection:
    """What the index columns of a row say."""
    return Projection(*_STORED(row))


def shown(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    """The entry as JSON shows it, out of a row of `COLUMNS`.

    Raises RecordAltered where the entry and what is stored about it disagree.
    """
    try:
        entry = read_leaf(row.leaf)
        agrees = project(entry) == as_stored(row)
        agrees = agrees and merkle.leaf_hash(row.leaf) == row.leaf_hash
    except ValueError as error:
        raise RecordAltered(f"entry {row.idx} cannot be read") from error
    if not agrees:
        raise RecordAltered(f"entry {row.idx} is not what it was")
    return {
        "index": row.idx,
        "entry": entry,
        "leaf": encode(row.leaf),
        "leaf_hash": encode(row.leaf_hash),
    }
