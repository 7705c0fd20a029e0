"""Which entries an auditor sees: all of them, or what concerns the services named to them."""

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased

from broker.audit.models import AuditEntry

Sight = frozenset[str] | None
"""The client ids an auditor is limited to; None: no limit."""


def within(sight: Sight) -> tuple[ColumnElement[bool], ...]:
    """What holds of the entries of these services, and of the evidence behind their assertions."""
    if sight is None:
        return ()
    cited = aliased(AuditEntry)
    evidence = select(cited.evidence).where(
        cited.client.in_(sight), cited.assertion.is_not(None), cited.evidence.is_not(None)
    )
    own = AuditEntry.client.in_(sight)
    proofs = AuditEntry.event.like("evidence.%") & AuditEntry.evidence.in_(evidence)
    return (or_(own, proofs),)


def covers(sight: Sight, client: str | None) -> bool:
    """Whether what concerns this service is in sight."""
    return sight is None or client in sight
