"""Queries on keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from broker.authentication.ceremony import KnownKey
from broker.authentication.models import Authenticator
from broker.errors import NotFound


def keys_of(tx: Session, account_id: str) -> Sequence[Authenticator]:
    """The account's keys, oldest first."""
    mine = select(Authenticator).where(Authenticator.account_id == account_id)
    return tx.scalars(mine.order_by(Authenticator.created, Authenticator.id)).all()


def find(tx: Session, credential_id: bytes) -> Authenticator | None:
    """The key of this credential ID, if it is enrolled."""
    return tx.scalar(select(Authenticator).where(Authenticator.credential_id == credential_id))


def own(tx: Session, account_id: str, key_id: str) -> Authenticator:
    """The key, if it is of this account. Raises NotFound: no such key, or another person's."""
    # PostgreSQL refuses a NUL in text with an error that is no answer to a wrong address.
    key = tx.get(Authenticator, key_id) if key_id.isprintable() else None
    if key is None or key.account_id != account_id:
        raise NotFound("not_found")
    return key


def lock_keys(tx: Session, account_id: str) -> int:
    """How many keys the account has; none of them comes or goes until the transaction ends."""
    mine = select(Authenticator.id).where(Authenticator.account_id == account_id)
    return len(tx.scalars(mine.order_by(Authenticator.id).with_for_update()).all())


def note_use(
    tx: Session, key: Authenticator, sign_count: int, *, backed_up: bool, now: datetime
) -> bool:
    """Whether the use could be noted: not where another use has moved the counter since."""
    statement = (
        update(Authenticator)
        .where(Authenticator.id == key.id, Authenticator.sign_count == key.sign_count)
        .values(sign_count=sign_count, backed_up=backed_up, last_used=now)
    )
    return cast("CursorResult[Any]", tx.execute(statement)).rowcount == 1


def erase(tx: Session, account_id: str) -> None:
    """Remove every key of the account."""
    tx.execute(delete(Authenticator).where(Authenticator.account_id == account_id))


def known(key: Authenticator) -> KnownKey:
    """The key as a ceremony judges it."""
    return KnownKey(
        credential_id=key.credential_id,
        user_handle=key.user_handle,
        public_key=key.public_key,
        sign_count=key.sign_count,
        backup_eligible=key.backup_eligible,
        transports=tuple(key.transports),
    )
