"""Keeping one's keys: seeing, renaming and removing them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from broker.accounts import session as sessions
from broker.accounts import vault
from broker.audit.log import record
from broker.authentication import challenge, store
from broker.authentication.enrolling import NAME_PURPOSE
from broker.authentication.models import Authenticator
from broker.errors import Conflict, Malformed
from broker.feature import Panel, SignedIn
from broker.web.tools import tools

LONGEST_NAME: Final = 60
"""Characters of a key's name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A key as its owner sees it; `synced`: it may live on several devices."""

    id: str
    name: str
    created: datetime
    last_used: datetime | None
    synced: bool


def panel(tx: Session, account_id: str, now: datetime) -> Panel:  # noqa: ARG001  one shape for all panels
    """The keys' part of the account page."""
    keys = [shown(tx, key) for key in store.keys_of(tx, account_id)]
    return Panel("authentication/panel.html", {"keys": keys})


def shown(tx: Session, key: Authenticator) -> Shown:
    """The key as its owner sees it."""
    wrapping = tools().keyring.wrapping
    name = str(vault.unseal(tx, key.account_id, NAME_PURPOSE, key.name, wrapping))
    return Shown(key.id, name, key.created, key.last_used, key.backup_eligible)


def rename(tx: Session, key: Authenticator, name: str, now: datetime) -> None:
    """Give the key another name. Raises Malformed where it has no letters, or too many."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Malformed("malformed", "name of a key")
    wrapping, draw = tools().keyring.wrapping, tools().random
    key.name = vault.seal(tx, key.account_id, NAME_PURPOSE, name, wrapping, draw)
    record(tx, "key.renamed", {"account": key.account_id, "key": key.id}, now)


def remove(tx: Session, person: SignedIn, key: Authenticator, now: datetime) -> None:
    """Remove the key and end every other session. Raises Conflict last_key.

    The sessions end because whoever found the lost key may have opened one of them.
    """
    if store.lock_keys(tx, person.account_id) <= 1:
        raise Conflict("last_key")
    tx.delete(key)
    sessions.end_others(tx, person.account_id, person.session_id)
    record(tx, "key.removed", {"account": person.account_id, "key": key.id}, now)


def erase(tx: Session, account_id: str) -> None:
    """Remove all that this room holds of the account."""
    challenge.forget(tx, account_id)
    store.erase(tx, account_id)
