"""The first thing that an assurance policy grades: noted once, whichever worker does it."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from broker import serving
from broker.audit.log import record
from broker.audit.models import AuditPolicy

ASK_AGAIN = timedelta(minutes=10)
"""How long a process relies on what it found: only a restored backup takes a version back."""

_FOUND, _OWN = "audit_policies", "audit_policy"


def note(tx: Session, version: str, now: datetime) -> None:
    """Record `policy.activated` where this version grades for the first time.

    One statement decides who is first, so of all workers one records it. A process that found
    the version committed asks no more for ten minutes: on the way to a token this costs nothing.
    """
    found: dict[str, datetime] = serving.extensions().setdefault(_FOUND, {})
    if version in found and abs(now - found[version]) < ASK_AGAIN:
        return
    if tx.connection().scalar(select(AuditPolicy.version).where(AuditPolicy.version == version)):
        if tx.info.get(_OWN) != version:  # our own is not committed yet
            found[version] = now
        return
    if _is_first(tx, version, now):
        tx.info[_OWN] = version


def _is_first(tx: Session, version: str, now: datetime) -> bool:
    connection = tx.connection()
    latest = select(AuditPolicy.version).order_by(AuditPolicy.since.desc()).limit(1)
    previous = connection.scalar(latest)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(AuditPolicy).values(version=version, since=now)
    first = connection.scalar(statement.on_conflict_do_nothing().returning(AuditPolicy.version))
    if first is None:
        return False
    record(tx, "policy.activated", {"policy": version, "previous": previous}, now)
    return True
