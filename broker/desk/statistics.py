"""How many assertions a month had, told so that no number speaks of a few people."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broker.audit import moments
from broker.audit.models import AuditEntry
from broker.desk.assertion_query import MonthQuery
from broker.desk.sight import Sight, within

SMALLEST = 5
"""The smallest number that is told."""

_COLUMNS = {
    "client": AuditEntry.client,
    "event": AuditEntry.event,
    "kind": AuditEntry.kind,
    "level": AuditEntry.level,
    "outcome": AuditEntry.assertion,
    "reason": AuditEntry.reason,
}


def count(tx: Session, query: MonthQuery, sight: Sight) -> dict[str, Any]:
    """The month's assertions by one column; a count of None is withheld, and so may the total be.

    Counted by index columns, which `audit verify` holds against the entries.
    """
    column = _COLUMNS[query.by]
    those = select(column, func.count()).where(
        *within(sight),
        *moments.within(tx, query.since, query.until),
        AuditEntry.assertion.in_(("issued", "refused")),
        AuditEntry.time >= query.since,
        AuditEntry.time < query.until,
    )
    rows = tx.execute(those.group_by(column)).all()
    found: Mapping[str | None, int] = dict(rows)
    values = sorted(found, key=lambda value: (value is None, value or ""))
    told, total = suppress([found[value] for value in values])
    cells = [{"value": v, "count": c} for v, c in zip(values, told, strict=True)]
    return {
        "month": query.month,
        "by": query.by,
        "withheld_below": SMALLEST,
        "total": total,
        "cells": cells,
    }


def suppress(counts: Sequence[int]) -> tuple[list[int | None], int | None]:
    """The counts that may be told, None for the others, and their total if it may be told.

    A small count is withheld. Where subtracting the others from the total would bring it back,
    the next smallest are withheld with it, and where none is left, so is the total.
    """
    hidden = {place for place, n in enumerate(counts) if n < SMALLEST}
    rest = sorted((n, place) for place, n in enumerate(counts) if n >= SMALLEST)
    while hidden and rest and _betrayed(counts, hidden):
        hidden.add(rest.pop(0)[1])
    told = [None if place in hidden else n for place, n in enumerate(counts)]
    return told, None if hidden and _betrayed(counts, hidden) else sum(counts)


def _betrayed(counts: Sequence[int], hidden: set[int]) -> bool:
    return len(hidden) == 1 or sum(counts[place] for place in hidden) < SMALLEST
