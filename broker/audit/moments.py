"""Which entries a time may concern: the indexes between which all of them lie."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from broker.audit.models import AuditEntry

# One at a time: SQLite finds either by the key, and both together by reading everything.
_FIRST, _LAST = select(func.min(AuditEntry.idx)), select(func.max(AuditEntry.idx))


def within(tx: Session, since: str | None, until: str | None) -> list[ColumnElement[bool]]:
    """What holds of every entry of this time, so that a list needs to look at no others.

    `latest` never falls, so the first entry of a moment is found by halving. Entries that came
    late, when another had a later time already, stand in an index of their own.
    """
    low = None if since is None and until is None else tx.scalar(_FIRST)
    if low is None:
        return []
    those: list[ColumnElement[bool]] = []
    reached = _finder(tx, low, (tx.scalar(_LAST) or 0) + 1)
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
    # The sum keeps SQLite from walking back over the whole record by the key.
    place = AuditEntry.idx + 0
    found = tx.scalar(select(func.max(place)).where(*late, place >= end))
    return -1 if found is None else found
