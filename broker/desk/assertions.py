"""What services were told of people: the list, and the chain that leads to one assertion."""

import operator
from typing import Any

from sqlalchemy import ColumnElement, literal_column, select
from sqlalchemy.orm import Session

from broker.audit import moments, store
from broker.audit.entry import ISSUED
from broker.audit.event import REFUSED
from broker.audit.models import AuditEntry, AuditSubject
from broker.audit.query import LARGEST_LIMIT
from broker.desk.assertion_query import AssertionQuery
from broker.desk.sight import Sight, within
from broker.errors import NotFound

_OUTCOMES = {
    None: AuditEntry.assertion.is_not(None),
    ISSUED: AuditEntry.assertion == ISSUED,
    # As a parameter the database would not know that its index of refusals is meant.
    REFUSED: AuditEntry.assertion == literal_column(f"'{REFUSED}'"),
}
_RULE = ("acr", "identity", "authenticator", "policy", "because")


def find(tx: Session, query: AssertionQuery, after: int | None, sight: Sight) -> store.Page:
    """The assertions asked for, of those in sight, in the order of their index.

    Raises RecordAltered where an entry and what is stored about it disagree.
    """
    filters = (
        (AuditEntry.client, operator.eq, query.client),
        (AuditEntry.level, operator.eq, query.level),
        (AuditEntry.kind, operator.eq, query.kind),
        (AuditEntry.grant_id, operator.eq, query.grant),
        (AuditEntry.evidence, operator.eq, query.evidence),
        (AuditEntry.reason, operator.eq, query.reason),
        (AuditEntry.time, operator.ge, query.since),
        (AuditEntry.time, operator.lt, query.until),
        (AuditEntry.idx, operator.ge, query.min_index),
        (AuditEntry.idx, operator.le, query.max_index),
        (AuditEntry.idx, operator.gt, after),
    )
    those = [compare(column, value) for column, compare, value in filters if value is not None]
    # Half of the entries are assertions: the indexes by client, level and kind are of them only.
    those.append(_OUTCOMES[query.outcome])
    if query.subject is not None:
        those.append(_about(query.subject))
    those += moments.within(tx, query.since, query.until)
    return store.page(tx, [*those, *within(sight)], query.limit)


def whose(tx: Session, subject: str) -> str | None:
    """The account that a relying service knows under this name, unless it was erased."""
    known = select(AuditSubject.account_id).where(AuditSubject.subject == subject)
    return tx.scalar(known.limit(1))


def is_assertion(tx: Session, index: int) -> bool:
    """Whether a service was, or was not, told something of a person by this entry."""
    return tx.scalar(select(AuditEntry.assertion).where(AuditEntry.idx == index)) is not None


def chain(tx: Session, index: int, sight: Sight) -> dict[str, Any]:
    """One assertion and what led to it: evidence and its checks, rule, consent, tokens.

    Every link is an entry that can be proved like any other. Raises NotFound, RecordAltered.
    """
    assertion = store.entry(tx, index, *within(sight))
    facts = assertion["entry"]["facts"]
    if not is_assertion(tx, index):
        raise NotFound("not_found")
    told = {name: facts[name] for name in _RULE if name in facts}
    return {
        "assertion": assertion,
        "evidence": _evidence(tx, facts.get("evidence"), sight),
        "rule": told or None,
        "consent": _consent(tx, index, sight),
        "grant": _grant(tx, facts.get("grant"), sight),
    }


def _about(subject: str) -> ColumnElement[bool]:
    return AuditEntry.idx.in_(select(AuditSubject.idx).where(AuditSubject.subject == subject))


def _evidence(tx: Session, reference: str | None, sight: Sight) -> list[dict[str, Any]]:
    if reference is None:
        return []
    those = (AuditEntry.evidence == reference, AuditEntry.event.like("evidence.%"))
    return store.page(tx, (*those, *within(sight)), LARGEST_LIMIT)[0]


def _grant(tx: Session, reference: str | None, sight: Sight) -> list[dict[str, Any]]:
    """Everything under the same authorization, the first 200: its code, tokens, refusals."""
    if reference is None:
        return []
    those = (AuditEntry.grant_id == reference, *within(sight))
    return store.page(tx, those, LARGEST_LIMIT)[0]


def _consent(tx: Session, index: int, sight: Sight) -> dict[str, Any] | None:
    """The agreement this assertion rests on: the person's last to this client before it.

    Entries about one person do not look alike, so the side table is asked who it was; once
    they are erased, nobody can say.
    """
    person = select(AuditSubject.account_id).where(AuditSubject.idx == index).scalar_subquery()
    client = select(AuditEntry.client).where(AuditEntry.idx == index).scalar_subquery()
    agreed = (
        select(AuditEntry.idx)
        .join(AuditSubject, AuditSubject.idx == AuditEntry.idx)
        .where(
            AuditSubject.account_id == person,
            AuditEntry.client == client,
            AuditEntry.event == "consent.given",
            AuditEntry.idx < index,
        )
    )
    found = tx.scalar(agreed.order_by(AuditEntry.idx.desc()).limit(1))
    return None if found is None else store.entry(tx, found, *within(sight))
