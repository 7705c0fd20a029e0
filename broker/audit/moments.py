"""Which entries a time may concern: the indexes between which all of them lie."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from broker.audit.models import AuditEntry

_EDGES = select(func.min(AuditEntry.idx), func.max(AuditEntry.idx))


def within(tx: Session, since: str | None, until: str | None) -> list[ColumnElement[bool]]:
    """What holds of every entry of this time, so that a list needs to look at no others.

    `latest` never falls, so the first entry of a moment is found by halving. Entries that came
    late, when another had a later time already, stand in an index of their own.
    """
    edges = tx.execute(_EDGES).first()
    if edges is None or edges[0] is None:
        return []
    those: list[ColumnElement[bool]] = []
    reached = _finder(tx, edges[0], edges[1] + 1)
    if since is not None:
        those.append(AuditEntry.idx >= reached(since))
    if until is not None:
        end = reached(until)
        those.append(AuditEntry.idx < max(end, _late(tx, end, until) + 1))
    return those


def _finder(tx: Session, low: int, high: int) -> Callable[[str], int]:
    """Moment → the first index at which that time had been reached; `high` where it never was."""

    def reached(moment: str) -> int:
        first, last = low, high
        while first < last:
            middle = (first + last) // 2
            latest = tx.scalar(select(AuditEntry.latest).where(AuditEntry.idx == middle))
            # A hole is somebody's doing, and `audit verify` names it: here it hides nothing.
            if latest is not None and latest < moment:
                first = middle + 1
            else:
                last = middle
        return first

    return reached


def _late(tx: Session, end: int, until: str) -> int:
    late = AuditEntry.time < AuditEntry.latest, AuditEntry.time < until
    found = tx.scalar(select(func.max(AuditEntry.idx)).where(*late, AuditEntry.idx >= end))
    return -1 if found is None else found
