"""Getting back in without a key: a sheet of codes, each good once, and what one opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from broker import entropy
from broker.accounts import session as sessions
from broker.accounts import store as accounts
from broker.audit.log import record
from broker.authentication import recovery_code, store
from broker.authentication.models import RecoveryCode
from broker.authentication.standing import ACCESS_CODE, demand_a_key
from broker.errors import BrokerError, EvidenceRejected
from broker.feature import SignedIn
from broker.web.tools import tools


@dataclass(frozen=True, slots=True)
class Sheet:
    """The owner's codes, as far as they are told again: how many are left, and the last use."""

    left: int
    made: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What a code opened: the account, and the secret of the session in it."""

    account_id: str
    secret: str


def make(tx: Session, person: SignedIn, now: datetime) -> Sequence[str]:
    """Ten fresh codes, as written on a sheet; those of an older sheet are worthless from now on.

    Raises NotAllowed recovery_cooling to one who came in by a code: a found sheet must not
    make its finder another.
    """
    demand_a_key(person)
    held, codes = tools(), []
    accounts.one_at_a_time(tx, person.account_id)
    store.forget_codes(tx, person.account_id)
    for _ in range(recovery_code.SHEET):
        code = recovery_code.mint(held.random)
        row = RecoveryCode(
            id=entropy.token(held.random),
            account_id=person.account_id,
            digest=recovery_code.digest(code, held.keyring.pairwise),
            made=now,
        )
        tx.add(row)
        codes.append(recovery_code.written(code))
    facts = {"account": person.account_id, "codes": len(codes)}
    record(tx, "recovery.prepared", facts, now)
    return codes


def use(tx: Session, typed: str, now: datetime) -> Opened | BrokerError:
    """The session that the code opens, all others ended; or the refusal, on record.

    Returned, not raised: a refusal that is raised would take its own record back.
    """
    try:
        account_id = _spend(tx, typed, now)
    except EvidenceRejected as refusal:
        record(tx, "recovery.refused", {"reason": refusal.hint}, now)
        return refusal
    ended = sessions.end_all(tx, account_id)
    left = sheet(tx, account_id)
    facts = {"account": account_id, "left": left.left if left else 0, "sessions": ended}
    record(tx, "recovery.used", facts, now)
    return Opened(account_id, sessions.begin(tx, account_id, ACCESS_CODE, now, tools().random))


def sheet(tx: Session, account_id: str) -> Sheet | None:
    """What the owner is told of their codes, None where none were ever made."""
    codes = store.codes_of(tx, account_id)
    if not codes:
        return None
    used = [code.used for code in codes if code.used]
    return Sheet(len(codes) - len(used), codes[0].made, max(used, default=None))


def _spend(tx: Session, typed: str, now: datetime) -> str:
    code = recovery_code.parse(typed)
    account_id = store.spend_code(tx, recovery_code.digest(code, tools().keyring.pairwise), now)
    if account_id is None:
        raise EvidenceRejected("recovery_rejected", "unknown_or_used")
    return account_id
