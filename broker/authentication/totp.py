"""An authenticator app: six digits that follow the time (RFC 6238), the second way beside a code.

On its own it opens nothing: accounts have no name to type. Together with a recovery code it gets
its owner back in at once (NIST SP 800-63B-4 §4.2.2.2: a recovery code and a single-factor
authenticator); it can be phished, so it reaches no more than C1.
"""

import base64
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy.orm import Session

from broker.accounts import session as sessions
from broker.accounts import store as accounts
from broker.accounts import vault
from broker.audit.log import record
from broker.authentication import store
from broker.authentication.models import Totp
from broker.authentication.standing import demand_a_key
from broker.errors import BrokerError, EvidenceRejected
from broker.feature import SignedIn
from broker.web.tools import tools

TOTP: Final = "totp"
"""What the policy calls a way in by recovery code and app."""

PURPOSE: Final = "totp-secret"
_SECRET: Final = 20
"""Octets: as long as the SHA-1 that apps know (RFC 4226 §4, R6)."""
_STEP_S: Final = 30
_DIGITS: Final = 6
_DRIFT: Final = (0, -1, 1)
"""Steps that a device's clock may be wrong by (RFC 6238 §5.2)."""


def prepare(tx: Session, person: SignedIn, now: datetime) -> str:
    """The otpauth URI of a new secret, which counts once it is proved.

    One that was prepared and not proved is replaced; a proved one stays until then.
    Raises NotAllowed recovery_cooling.
    """
    demand_a_key(person)
    house, account_id = tools(), person.account_id
    secret = house.random(_SECRET)
    sealed = vault.seal(tx, account_id, PURPOSE, secret.hex(), house.keyring.wrapping, house.random)
    accounts.one_at_a_time(tx, account_id)
    store.forget_totp(tx, account_id)
    tx.add(Totp(account_id=account_id, secret=sealed, made=now, proved=None, last_step=-1))
    return _uri(secret, now)


def pending_uri(tx: Session, account_id: str) -> str | None:
    """The URI of what was prepared and still has to be proved, or None."""
    row = store.totp_of(tx, account_id)
    if row is None or row.proved is not None:
        return None
    return _app(_secret(tx, row)).provisioning_uri(
        name=f"{row.made:%Y-%m-%d}", issuer_name="Miftah"
    )


def prove(tx: Session, person: SignedIn, typed: str, now: datetime) -> BrokerError | None:
    """Nothing, and the app counts from now on; or the refusal, on record.

    Returned, not raised: a refusal that is raised would take its own record back.
    """
    demand_a_key(person)
    row = store.totp_of(tx, person.account_id)
    fault = "none_prepared" if row is None or row.proved else _judge(tx, row, typed, now)
    if row is None or fault is not None:
        return _refuse(tx, person.account_id, fault or "", now)
    row.proved = now
    tx.flush()
    record(tx, "totp.enrolled", {"account": person.account_id}, now)
    return None


def use(tx: Session, person: SignedIn, typed: str, now: datetime) -> str | BrokerError:
    """The secret of a session by both ways, in place of the one by code; or the refusal."""
    row = store.totp_of(tx, person.account_id)
    fault = "none_enrolled" if row is None or row.proved is None else _judge(tx, row, typed, now)
    if fault is not None:
        return _refuse(tx, person.account_id, fault, now)
    record(tx, "sign_in.accepted", {"account": person.account_id, "authenticator": TOTP}, now)
    return sessions.begin(tx, person.account_id, TOTP, now, tools().random)


def remove(tx: Session, person: SignedIn, now: datetime) -> None:
    """Remove the app. Raises NotAllowed recovery_cooling."""
    demand_a_key(person)
    if store.forget_totp(tx, person.account_id):
        record(tx, "totp.removed", {"account": person.account_id}, now)


def is_proved(tx: Session, account_id: str) -> bool:
    """Whether the account has an app that counts."""
    row = store.totp_of(tx, account_id)
    return row is not None and row.proved is not None


def _judge(tx: Session, row: Totp, typed: str, now: datetime) -> str | None:
    digits = "".join(typed[:20].split())
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
        return "malformed"
    app, step = _app(_secret(tx, row)), int(now.timestamp()) // _STEP_S
    fits = [
        step + d for d in _DRIFT if pyotp.utils.strings_equal(digits, app.generate_otp(step + d))
    ]
    if not fits:
        return "wrong"
    return None if store.spend_step(tx, row.account_id, max(fits)) else "used_before"


def _refuse(tx: Session, account_id: str, reason: str, now: datetime) -> BrokerError:
    record(tx, "totp.refused", {"account": account_id, "reason": reason}, now)
    return EvidenceRejected("totp_rejected", reason)


def _secret(tx: Session, row: Totp) -> bytes:
    wrapping = tools().keyring.wrapping
    return bytes.fromhex(str(vault.unseal(tx, row.account_id, PURPOSE, row.secret, wrapping)))


def _uri(secret: bytes, made: datetime) -> str:
    # Accounts have no names: the day tells one entry of the app from another.
    return _app(secret).provisioning_uri(name=f"{made:%Y-%m-%d}", issuer_name="Miftah")


def _app(secret: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(secret).decode("ascii"), digits=_DIGITS, interval=_STEP_S)
