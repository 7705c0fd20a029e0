"""The first thing that an assurance policy grades: noted once, whichever worker does it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from broker.audit.log import record
from broker.audit.models import AuditPolicy


def note(tx: Session, version: str, now: datetime) -> None:
    """Record `policy.activated` where this version grades for the first time.

    One statement decides who is first, so of all workers one records it.
    """
    if tx.get(AuditPolicy, version) is not None:
        return
    previous = tx.scalar(select(AuditPolicy.version).order_by(AuditPolicy.since.desc()).limit(1))
    insert = postgresql.insert if tx.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(AuditPolicy).values(version=version, since=now)
    first = tx.scalar(statement.on_conflict_do_nothing().returning(AuditPolicy.version))
    if first is not None:
        record(tx, "policy.activated", {"policy": version, "previous": previous}, now)
