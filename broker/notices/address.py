"""Where a person wants to be told: offered, proved by a code, taken back."""

import hmac
import re
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Session

from broker.accounts import store as accounts
from broker.accounts import vault
from broker.audit.log import record
from broker.errors import BrokerError, EvidenceRejected, Malformed, TooMany
from broker.feature import Panel
from broker.notices import store
from broker.notices.letter import OFFERED, REPLACED
from broker.notices.models import NoticeAddress
from broker.notices.posting import ADDRESS, post
from broker.web.locale import choose
from broker.web.tools import tools

LIFETIME: Final = timedelta(minutes=30)
"""How long a code is good."""

MOST_TRIES: Final = 5
LONGEST: Final = 254
"""Octets of an address (RFC 5321 §4.5.3.1.3, errata 1690)."""

_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(days=1)
_DIGITS: Final = 8
_LABEL: Final = b"miftah address code 1"

# One that every server takes; what is rarer than that is better refused than lost on the way.
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)


def parse(typed: str) -> str:
    """The address that was typed. Raises Malformed address_malformed."""
    address = typed.strip()
    local = address.partition("@")[0]
    if len(address) > LONGEST or len(local) > 64 or not _ADDRESS.fullmatch(address):  # noqa: PLR2004  RFC 5321 §4.5.3.1.1
        raise Malformed("address_malformed")
    return address


def panel(tx: Session, account_id: str, now: datetime) -> Panel:  # noqa: ARG001  one shape for all panels
    """Where this person is told of changes, as far as the system sends mail at all."""
    row = store.address_of(tx, account_id)
    held = row.address if row else None
    context = {"sends": bool(tools().settings.mail.host), "address": _open(tx, account_id, held)}
    return Panel("notices/panel.html", context)


def offer(tx: Session, account_id: str, typed: str, now: datetime) -> None:
    """Send a code to this address. Raises Malformed address_malformed, TooMany too_many_tries."""
    address, house = parse(typed), tools()
    wrapping, draw = house.keyring.wrapping, house.random
    accounts.one_at_a_time(tx, account_id)
    row = store.address_of(tx, account_id, lock=True)
    sealed = vault.seal(tx, account_id, ADDRESS, address, wrapping, draw)
    if row is None:
        row = NoticeAddress(account_id=account_id, language=choose(), offers=0)
        tx.add(row)
    elif row.offers and now < row.offered + _wait(row.offers):
        raise TooMany("too_many_tries", "an address")
    code = f"{int.from_bytes(draw(8), 'big') % 10**_DIGITS:0{_DIGITS}}"
    row.pending, row.code, row.language = sealed, _digest(account_id, code), choose()
    row.offered, row.offers, row.tries = now, row.offers + 1, 0
    tx.flush()
    post(tx, account_id, OFFERED, row.language, sealed, now, code)


def pending(tx: Session, account_id: str) -> str | None:
    """The address that awaits its code, if one does."""
    row = store.address_of(tx, account_id)
    return _open(tx, account_id, row.pending) if row else None


def prove(tx: Session, account_id: str, typed: str, now: datetime) -> BrokerError | None:
    """Nothing, and notices go there from now on; or the refusal, on record.

    Returned, not raised: a refusal that is raised would take its own count back.
    """
    row = store.address_of(tx, account_id, lock=True)
    reason = _fault(row, account_id, typed, now)
    if row is None or reason is not None:
        if row is not None:
            row.tries += 1
        record(tx, "address.refused", {"account": account_id, "reason": reason}, now)
        return EvidenceRejected("address_code_rejected", reason or "")
    if row.address is not None:
        post(tx, account_id, REPLACED, row.language, row.address, now)
    row.address, row.pending, row.code, row.offers = row.pending, None, None, 0
    tx.flush()
    record(tx, "address.confirmed", {"account": account_id}, now)
    return None


def remove(tx: Session, account_id: str, now: datetime) -> None:
    """Take the address back; the last letter to it says so."""
    row = store.address_of(tx, account_id, lock=True)
    if row is None:
        return
    record(tx, "address.removed", {"account": account_id}, now)
    row.address = row.pending = row.code = None


def _fault(row: NoticeAddress | None, account_id: str, typed: str, now: datetime) -> str | None:
    if row is None or row.code is None:
        return "none_pending"
    if row.tries >= MOST_TRIES:
        return "too_many_tries"
    if now >= row.offered + LIFETIME:
        return "too_old"
    digits = re.sub(r"\s", "", typed[:40])
    right = hmac.compare_digest(row.code, _digest(account_id, digits))
    return None if right else "wrong"


def _wait(offers: int) -> timedelta:
    return min(_FIRST_WAIT * int(2 ** min(offers - 1, 20)), _LONGEST_WAIT)


def _digest(account_id: str, code: str) -> bytes:
    key = HKDF(hashes.SHA256(), 32, salt=None, info=_LABEL).derive(tools().keyring.browser)
    return hmac.digest(key, f"{account_id}:{code}".encode(), "sha256")


def _open(tx: Session, account_id: str, sealed: bytes | None) -> str | None:
    if sealed is None:
        return None
    return str(vault.unseal(tx, account_id, ADDRESS, sealed, tools().keyring.wrapping))
