"""Forgetting old entries whole: their hashes stay, so every proof of what is left still holds."""

from datetime import datetime

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from broker.audit import checkpoint
from broker.audit.entry import to_milliseconds, to_text
from broker.audit.log import record
from broker.audit.models import AuditEntry, AuditPruning, AuditSubject
from broker.audit.note import encode, statement
from broker.audit.origin import opened
from broker.audit.tiles import minimum_index
from broker.audit.tree import WIDTH
from broker.web.tools import tools


def prune(tx: Session, below: int, now: datetime) -> str:
    """The signed statement that entries under a minimum index are no longer kept.

    The minimum is `below`, rounded down to whole tiles, whose hashes are kept. The entries and
    what linked them to people are deleted. Raises ValueError where nothing would go, or where a
    signed checkpoint does not cover what would.
    """
    signed = checkpoint.latest(tx, now)
    head = opened(signed)
    minimum = below - below % WIDTH
    if not minimum_index(tx.connection()) < minimum <= head.size:
        raise ValueError(f"nothing below {minimum} can be pruned")
    said = (str(minimum), to_text(now), str(head.size), encode(head.root))
    note = statement("pruning", head.origin, said, tools().keyring.checkpoint)
    tx.execute(delete(AuditEntry).where(AuditEntry.idx < minimum))
    tx.execute(delete(AuditSubject).where(AuditSubject.idx < minimum))
    row = {"minimum": minimum, "note": note, "time": to_milliseconds(now)}
    tx.execute(insert(AuditPruning), row)
    record(tx, "log.pruned", {"minimum": minimum}, now)
    return note
