"""Exports: asked for, packed by a worker, fetched by who asked, and gone after a day."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import Field
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit import checkpoint, merkle
from broker.audit.entry import to_text
from broker.audit.log import record
from broker.audit.note import encode
from broker.audit.origin import opened
from broker.audit.query import LARGEST_LIMIT
from broker.audit.tree import StoredNodes
from broker.desk import assertions, bundle
from broker.desk.assertion_query import AssertionQuery, parse_assertions
from broker.desk.auditor import Reader
from broker.desk.door import Body, Visit
from broker.desk.models import Export
from broker.desk.searches import NAMELESS
from broker.desk.sight import Sight
from broker.entropy import RandomBytes
from broker.errors import Conflict, Malformed, NotFound
from broker.web.tools import Tools

MOST = 50_000
"""Entries in one bundle."""

KEPT = timedelta(days=1)
LEASE = timedelta(minutes=10)
"""How long an export belongs to the worker that took it."""

WAITING = 5
"""Exports of one auditor that are still to be packed."""

TOO_MANY = "too_many_entries"

WORDS: Final[dict[str, str]] = {
    "waiting": "being packed",
    "ready": "ready",
    "refused": "not packed",
}
"""State → in words; English msgids."""


class Wish(Body):
    """What is to be taken along, and in which form besides the entries themselves."""

    format: Literal["csv", "jsonl", "parquet"]
    query: dict[str, str] = Field(default_factory=dict, max_length=20)


@dataclass(frozen=True, slots=True)
class Job:
    """An export in the hands of a worker, and the checkpoint that its proofs lead to."""

    id: str
    owner: str
    format: str
    asked: AssertionQuery
    sight: Sight
    signed: str


def ask(here: Visit, wish: Wish, draw: RandomBytes) -> Export:
    """An export that waits for a worker. Raises Malformed, Conflict."""
    if wish.format not in bundle.available():
        raise Malformed("malformed", f"format: one of {', '.join(bundle.available())}")
    if unkept := NAMELESS & wish.query.keys():
        raise Malformed("malformed", f"query: {min(unkept)} has no place here")
    asked = parse_assertions(wish.query.items()).facts()
    waiting = select(Export.id).where(Export.owner == here.reader.name, Export.due.is_not(None))
    if len(here.tx.scalars(waiting).all()) >= WAITING:
        raise Conflict("too_many_kept", f"at most {WAITING} wait at a time")
    here.tx.execute(delete(Export).where(Export.created <= here.now - KEPT))
    row = Export(
        id=entropy.token(draw, bits=128),
        owner=here.reader.name,
        format=wish.format,
        query={name: str(value) for name, value in asked.items()},
        sight=None if here.sight is None else sorted(here.sight),
        created=here.now,
        due=here.now,
    )
    here.tx.add(row)
    facts = {"export": row.id, "filter": asked, "format": wish.format}
    here.record("export.requested", facts)
    return row


def find(tx: Session, name: str, reader: Reader, now: datetime) -> Export:
    """The auditor's own export. Raises NotFound for another's, and for one that is over."""
    row = tx.get(Export, name) if name.isprintable() else None
    if row is None or not reader.may_see(row.owner) or now >= row.created + KEPT:
        raise NotFound("not_found")
    if reader.sight is not None and not frozenset(row.sight or ("\0",)) <= reader.sight:
        raise NotFound("not_found")
    return row


def fetched(tx: Session, row: Export) -> bytes:
    """The bundle. Raises Conflict until it is packed."""
    content = tx.scalar(select(Export.bundle).where(Export.id == row.id))
    if content is None:
        raise Conflict("export_not_ready", f"it is {state(row)}")
    return content


def listed(tx: Session, reader: Reader, now: datetime) -> list[Export]:
    """The auditor's own exports, the newest first."""
    mine = select(Export).where(Export.owner == reader.name, Export.created > now - KEPT)
    return list(tx.scalars(mine.order_by(Export.created.desc(), Export.id)))


def waits(tx: Session, now: datetime) -> bool:
    """Whether an export waits to be packed."""
    return tx.scalar(select(Export.id).where(Export.due <= now).limit(1)) is not None


def take(tx: Session, now: datetime) -> Job | None:
    """The export that has waited longest, for the caller alone; None where none waits."""
    due = select(Export).where(Export.due <= now).order_by(Export.due).limit(1)
    row = tx.scalar(due.with_for_update(skip_locked=True))
    if row is None:
        return None
    row.due = now + LEASE
    sight = None if row.sight is None else frozenset(row.sight)
    signed = checkpoint.recent(tx, now)
    asked = parse_assertions(row.query.items())
    return Job(row.id, row.owner, row.format, asked, sight, signed)


def packed(tx: Session, job: Job, house: Tools, now: datetime) -> bytes | None:
    """The bundle of the job, or None where it would be too large."""
    head = opened(job.signed)
    rows: list[bundle.Proved] = []
    for found in _found(tx, job, head.size):
        if len(rows) == MOST:
            return None
        rows.append(found)
    said = {
        "origin": head.origin,
        "created": to_text(now),
        "caller": job.owner,
        "query": job.asked.facts(),
        "tool": bundle.TOOL,
        "checkpoint": job.signed,
    }
    return bundle.pack(rows, job.format, said, house.keyring.checkpoint)


def settle(tx: Session, job: Job, content: bytes | None, now: datetime) -> None:
    """Keep the bundle, or why there is none; either is on record."""
    sha256 = None if content is None else hashlib.sha256(content).hexdigest()
    done = {"due": None, "made": now, "bundle": content, "sha256": sha256}
    fault = None if content is not None else TOO_MANY
    tx.execute(update(Export).where(Export.id == job.id).values(**done, fault=fault))
    facts: dict[str, object] = {"auditor": job.owner, "export": job.id}
    if fault:
        record(tx, "export.refused", facts | {"reason": fault}, now)
    else:
        record(tx, "export.made", facts | {"sha256": sha256}, now)


def state(row: Export) -> str:
    """Where the export stands: waiting, ready, or refused."""
    if row.due is not None:
        return "waiting"
    return "refused" if row.fault else "ready"


def shown(row: Export) -> dict[str, Any]:
    """The export as JSON shows it."""
    return {
        "id": row.id,
        "format": row.format,
        "query": row.query,
        "state": state(row),
        "fault": row.fault,
        "created": to_text(row.created),
        "expires": to_text(row.created + KEPT),
        "sha256": row.sha256,
    }


def _found(tx: Session, job: Job, size: int) -> Iterator[bundle.Proved]:
    nodes = StoredNodes(tx.connection())
    last = min(job.asked.max_index if job.asked.max_index is not None else size - 1, size - 1)
    asked = replace(job.asked, max_index=last, limit=LARGEST_LIMIT)
    after: int | None = None
    while last >= 0:
        found, after = assertions.find(tx, asked, after, job.sight)
        for entry in found:
            path = merkle.inclusion_proof(nodes, entry["index"], size)
            yield bundle.Proved(entry, [encode(step) for step in path])
        if after is None:
            return
