"""Queries on the record; whatever leaves here was held against the entry's own bytes."""

import operator
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from broker.audit import merkle
from broker.audit.models import AuditEntry
from broker.audit.note import Checkpoint
from broker.audit.query import EntryQuery, TileQuery
from broker.audit.shown import COLUMNS, shown
from broker.audit.tree import WIDTH, RecordAltered, StoredNodes, octets
from broker.errors import NotFound

Page = tuple[list[dict[str, Any]], int | None]
"""Entries as JSON shows them, and the index to go on after, None at the end."""


def conditions(query: EntryQuery) -> list[ColumnElement[bool]]:
    """What must hold of an entry that is asked for."""
    filters = (
        (AuditEntry.event, operator.eq, query.event),
        (AuditEntry.client, operator.eq, query.client),
        (AuditEntry.time, operator.ge, query.since),
        (AuditEntry.time, operator.lt, query.until),
        (AuditEntry.idx, operator.gt, query.after),
    )
    return [compare(column, value) for column, compare, value in filters if value is not None]


def page(tx: Session, those: Iterable[ColumnElement[bool]], limit: int) -> Page:
    """At most `limit` entries of which all of `those` hold.

    In the order of their index, not of their time: late ones are never skipped.
    Raises RecordAltered where an entry and what is stored about it disagree.
    """
    wanted = select(*COLUMNS).where(*those).order_by(AuditEntry.idx).limit(limit + 1)
    found = tx.connection().execute(wanted).all()
    told = [shown(row) for row in found[:limit]]
    return told, told[-1]["index"] if len(found) > limit else None


def entry(tx: Session, index: int, *those: ColumnElement[bool]) -> dict[str, Any]:
    """One entry as JSON shows it.

    Raises NotFound, for one of which `those` do not hold too, and RecordAltered as `page` does.
    """
    query = select(*COLUMNS).where(AuditEntry.idx == index, *those)
    row = tx.connection().execute(query).first()
    if row is None:
        raise NotFound("not_found")
    return shown(row)


def inclusion_proof(
    tx: Session, leaf_hash: merkle.Hash, index: int, head: Checkpoint
) -> tuple[merkle.Hash, ...]:
    """The path from the entry to the checkpoint's root.

    Raises RecordAltered where the stored hashes lead elsewhere: no answer is better than
    one that makes an honest entry look false.
    """
    path = merkle.inclusion_proof(StoredNodes(tx.connection()), index, head.size)
    try:
        merkle.verify_inclusion(leaf_hash, index, head.size, path, head.root)
    except merkle.ProofRejected as error:
        raise RecordAltered(f"entry {index}: {error}") from error
    return path


def tile(tx: Session, query: TileQuery) -> bytes:
    """The bytes of a tile: hashes, or entries each after its length in two bytes."""
    connection = tx.connection()
    if query.level is not None:
        hashes = StoredNodes(connection).tile(query.level, query.number)[: query.width]
        return _whole(hashes, query.width, b"".join(hashes))
    first = query.number * WIDTH
    leaves = connection.scalars(
        select(octets(AuditEntry.leaf))
        .where(AuditEntry.idx >= first, AuditEntry.idx < first + query.width)
        .order_by(AuditEntry.idx)
    ).all()
    return _whole(leaves, query.width, b"".join(struct.pack(">H", len(x)) + x for x in leaves))


def _whole(parts: Sequence[bytes], width: int, joined: bytes) -> bytes:
    if len(parts) != width:
        raise RecordAltered("a tile has holes")
    return joined
