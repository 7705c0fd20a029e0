"""Queries on accounts."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from broker import entropy
from broker.accounts import session as sessions
from broker.accounts import vault
from broker.accounts.models import Account
from broker.entropy import RandomBytes


def create(
    tx: Session, wrapping: bytes, now: datetime, draw: RandomBytes, account_id: str = ""
) -> str:
    """The name of a new account, with a key of its own; an unguessable one unless it is given."""
    account_id = account_id or entropy.token(draw)
    tx.add(Account(id=account_id, created=now))
    tx.flush()
    vault.new_key(tx, account_id, wrapping, draw)
    return account_id


def one_at_a_time(tx: Session, account_id: str) -> None:
    """Wait until no other transaction that said the same of this account is open.

    Two clicks at once are one after the other; the second sees what the first has done.
    """
    tx.execute(select(Account.id).where(Account.id == account_id).with_for_update())


def erase(tx: Session, account_id: str) -> None:
    """Destroy the account's key, sessions and row; the rooms' rows must be gone before."""
    sessions.end_all(tx, account_id)
    vault.destroy(tx, account_id)
    tx.flush()
    tx.execute(delete(Account).where(Account.id == account_id))
