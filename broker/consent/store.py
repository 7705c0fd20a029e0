"""Agreements: given, looked up, withdrawn."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from broker.accounts import store as accounts
from broker.consent.models import Consent
from broker.errors import NotFound
from broker.feature import Asked
from broker.prepared import Prepared

_HELD = Prepared(
    select(Consent.scope, Consent.claims, Consent.details, Consent.at).where(
        Consent.account_id == bindparam("account"), Consent.client_id == bindparam("client")
    )
)


def give(tx: Session, asked: Asked, now: datetime) -> None:
    """Keep the agreement; what was agreed to before stays agreed."""
    accounts.one_at_a_time(tx, asked.person())
    before = find(tx, asked.person(), asked.client_id)
    scope = asked.scope | set(before.scope if before else ())
    claims = asked.claim_names | set(before.claims if before else ())
    details = [dict(detail) for detail in asked.details]
    details += [d for d in (before.details if before else ()) if d not in details]
    row = Consent(
        account_id=asked.person(),
        client_id=asked.client_id,
        client_name=dict(asked.client_name),
        scope=sorted(scope),
        claims=sorted(claims),
        details=details,
        at=now,
    )
    tx.merge(row)


def covers(given: Any, asked: Asked) -> bool:
    """Whether all that is asked was agreed to: scope, single claims, each detail to the letter."""
    return (
        asked.scope <= set(given.scope)
        and asked.claim_names <= set(given.claims)
        and all(dict(detail) in given.details for detail in asked.details)
    )


def find(tx: Session, account_id: str, client_id: str) -> Consent | None:
    """The agreement of this person with this client, or None."""
    return tx.get(Consent, (account_id, client_id))


def held(tx: Session, account_id: str, client_id: str) -> Any:
    """The same, as a bare row: what was agreed to, and when."""
    return _HELD.first(tx, account=account_id, client=client_id)


def given(tx: Session, account_id: str) -> tuple[Consent, ...]:
    """All agreements of the person, newest first."""
    mine = select(Consent).where(Consent.account_id == account_id)
    return tuple(tx.scalars(mine.order_by(Consent.at.desc(), Consent.client_id)))


def withdraw(tx: Session, account_id: str, client_id: str) -> None:
    """Forget the agreement. Raises NotFound where there is none."""
    row = find(tx, account_id, client_id)
    if row is None:
        raise NotFound("not_found", "no agreement with this client")
    tx.delete(row)


def erase(tx: Session, account_id: str) -> None:
    """Remove all agreements of the account."""
    tx.execute(delete(Consent).where(Consent.account_id == account_id))
