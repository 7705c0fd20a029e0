"""Foreign identities: whose one is, linking it, unlinking it."""

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from broker import entropy, once
from broker.accounts import vault
from broker.errors import NotFound
from broker.identity.evidence import Origin
from broker.proofing.foreign.models import ForeignIdentity
from broker.web.tools import tools


def digest(origin: Origin) -> bytes:
    """HMAC-SHA-256 of scheme and identifier: without our key, nobody can try identifiers on it."""
    name = f"foreign-identity\x00{origin.scheme}\x00{origin.holder}"
    return hmac.new(tools().keyring.pairwise, name.encode(), hashlib.sha256).digest()


def owner(tx: Session, origin: Origin) -> str | None:
    """The account that this foreign identity is linked to, None where it is to none."""
    mine = select(ForeignIdentity.account_id).where(ForeignIdentity.digest == digest(origin))
    return tx.scalar(mine)


def link(tx: Session, account_id: str, origin: Origin, method: str, now: datetime) -> bool:
    """Link it, unless it is linked already; whether it was linked now.

    Of two accounts at the same moment one is told that it was not.
    """
    name, house = entropy.token(tools().random), tools()
    return once.wrote(
        tx,
        ForeignIdentity,
        id=name,
        account_id=account_id,
        scheme=origin.scheme,
        digest=digest(origin),
        sealed=vault.seal(
            tx, account_id, _purpose(name), origin.holder, house.keyring.wrapping, house.random
        ),
        method=method,
        at=now,
    )


def linked(tx: Session, account_id: str) -> tuple[ForeignIdentity, ...]:
    """All that are linked to the account, the oldest first."""
    mine = select(ForeignIdentity).where(ForeignIdentity.account_id == account_id)
    return tuple(tx.scalars(mine.order_by(ForeignIdentity.at, ForeignIdentity.id)))


def unlink(tx: Session, account_id: str, name: str) -> Origin:
    """The identity that is now nobody's, as far as its link knew it.

    Raises NotFound: unknown, or another's.
    """
    row = tx.get(ForeignIdentity, name) if name.isprintable() else None
    if row is None or row.account_id != account_id:
        raise NotFound("identity_unknown")
    wrapping = tools().keyring.wrapping
    holder = vault.unseal(tx, account_id, _purpose(name), row.sealed, wrapping)
    tx.delete(row)
    return Origin(row.scheme, "", "", holder)


def erase(tx: Session, account_id: str) -> None:
    """Remove all rows of this room about the account."""
    tx.execute(delete(ForeignIdentity).where(ForeignIdentity.account_id == account_id))


def _purpose(name: str) -> str:
    return f"foreign-identity:{name}"
