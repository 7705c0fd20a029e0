"""The first thing that an assurance policy grades, asked of the database once a process."""

from datetime import datetime

from sqlalchemy.orm import Session

from broker.audit import activation
from broker.audit.models import AuditPolicy
from broker.web.tools import settled


def note(tx: Session, version: str, now: datetime) -> None:
    """Record `policy.activated` where this version grades for the first time."""
    known = settled("policy")
    if version in known:
        return
    if tx.get(AuditPolicy, version) is not None:
        known.add(version)
        return
    activation.note(tx, version, now)
