"""The first token that a key signs: noted once, whichever worker signs it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from broker import once
from broker.audit.log import record
from broker.jose import thumbprint
from broker.keyring import Keyring
from broker.oidc.models import SigningKeyUsed
from broker.web.tools import settled


def note(tx: Session, keyring: Keyring, alg: str, now: datetime) -> None:
    """Record `keys.rotated` where a key signs with `alg` for the first time after another.

    One statement decides who is first, so of all workers one records it. The very first key
    of an algorithm took over from nobody. Raises KeysMissing where no key signs with `alg`.
    """
    kid = thumbprint(keyring.active(alg, now))
    known = settled("signing_key")
    if kid in known:
        return
    if not once.wrote(tx, SigningKeyUsed, kid=kid, alg=alg, since=now):
        known.add(kid)  # noted before, by a transaction that has ended
        return
    previous = tx.scalar(
        select(SigningKeyUsed.kid)
        .where(SigningKeyUsed.alg == alg, SigningKeyUsed.kid != kid)
        .order_by(SigningKeyUsed.since.desc())
        .limit(1)
    )
    if previous is not None:
        record(tx, "keys.rotated", {"alg": alg, "kid": kid, "previous": previous}, now)
