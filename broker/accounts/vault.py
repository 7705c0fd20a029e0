"""Sealing personal data with the account's own key, so that erasing is destroying a key.

AES-256-GCM throughout; the associated data ties a sealed value to its account and purpose,
so that one person's value moved to another's row does not open.
"""

import json
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from broker.accounts.models import AccountKey
from broker.entropy import RandomBytes
from broker.errors import NotFound
from broker.prepared import Prepared

_NONCE = 12
_WRAPPED = Prepared(select(AccountKey.wrapped).where(AccountKey.account_id == bindparam("of")))


def new_key(tx: Session, account_id: str, wrapping: bytes, draw: RandomBytes) -> None:
    """Give the account a key of its own."""
    wrapped = _seal(wrapping, draw(32), f"account-key:{account_id}", draw)
    tx.add(AccountKey(account_id=account_id, wrapped=wrapped))


def seal(  # noqa: PLR0913  whose, what for, what, and the two secrets it takes
    tx: Session, account_id: str, purpose: str, value: Any, wrapping: bytes, draw: RandomBytes
) -> bytes:
    """The JSON-ready value, sealed for this account and purpose. Raises NotFound once erased."""
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return _seal(_key(tx, account_id, wrapping), plain, f"{purpose}:{account_id}", draw)


def unseal(tx: Session, account_id: str, purpose: str, sealed: bytes, wrapping: bytes) -> Any:
    """What `seal` was given. Raises NotFound once the account's key is destroyed."""
    plain = _open(_key(tx, account_id, wrapping), sealed, f"{purpose}:{account_id}")
    return json.loads(plain)


def destroy(tx: Session, account_id: str) -> None:
    """Destroy the account's key: nothing sealed with it can ever be read again."""
    if (row := tx.get(AccountKey, account_id)) is not None:
        tx.delete(row)


def _key(tx: Session, account_id: str, wrapping: bytes) -> bytes:
    row = _WRAPPED.first(tx, of=account_id)
    if row is None:
        raise NotFound("not_found", "the account was erased")
    return _open(wrapping, row.wrapped, f"account-key:{account_id}")


def _seal(key: bytes, plain: bytes, aad: str, draw: RandomBytes) -> bytes:
    nonce = draw(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, aad.encode())


def _open(key: bytes, sealed: bytes, aad: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], aad.encode())
