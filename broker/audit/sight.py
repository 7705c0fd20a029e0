"""Which entries an auditor may see: all of them, or what concerns the services named to them."""

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import aliased

from broker.audit.models import AuditEntry

Sight = frozenset[str] | None
"""The client ids an auditor is limited to; None: no limit."""


def within(sight: Sight) -> ColumnElement[bool]:
    """True for the entries of these services, and for the evidence their assertions rest on."""
    if sight is None:
        return true()
    cited = aliased(AuditEntry)
    evidence = select(cited.evidence).where(
        cited.client.in_(sight), cited.assertion.is_not(None), cited.evidence.is_not(None)
    )
    own = AuditEntry.client.in_(sight)
    proofs = AuditEntry.event.like("evidence.%") & AuditEntry.evidence.in_(evidence)
    return or_(own, proofs)
