"""No assertion above P1 while nobody outside has seen the record for too long."""

from datetime import datetime

from sqlalchemy.orm import Session

from broker.audit import witnesses
from broker.identity.assurance import Policy, reaches
from broker.oidc.grant import Assurance

FREE = "P1"
"""The best identity level that is worth no more than the operator's own word."""


def is_withheld(tx: Session, assurance: Assurance, policy: Policy, now: datetime) -> bool:
    """Whether this level may not be asserted now, because the witnesses' quorum is missing."""
    return not reaches(FREE, assurance.identity, policy) and not witnesses.trusted(tx, now)
