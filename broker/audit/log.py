"""Write into the record, in the transaction of the fact."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, cast, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from broker import entropy, serving
from broker.audit import checkpoint
from broker.audit.checkpoint import PROVED
from broker.audit.entry import FactsRefused, compose
from broker.audit.models import AuditRefusal, AuditStaged, AuditSubject
from broker.audit.tree import RecordAltered
from broker.audit.turn import one_appender
from broker.feature import Feature, Listener
from broker.prepared import Prepared
from broker.web.tools import Tools, tools

_HEARD = "audit_heard"
_SALT = 32
_TELLING = 16
"""Characters from which on a text is a name and not a chance: account ids have 43."""

_GIVEN = {
    AuditStaged.leaf: "octets",
    AuditStaged.account_id: "who",
    AuditStaged.salt: "salted",
    AuditStaged.subject: "known_as",
}
_VALUES = select(*(cast(bindparam(name, type_=of.type), of.type) for of, name in _GIVEN.items()))
# One statement asks whether entries are taken at all, and stages this one.
_STAGE = Prepared(
    insert(AuditStaged)
    .from_select(list(_GIVEN), _VALUES.where(~exists().select_from(AuditRefusal)))
    .returning(AuditStaged.id)
)


def record(tx: Session, event: str, facts: Mapping[str, object], now: datetime) -> None:
    """Stage one entry, by one statement and without a lock; it stands or falls with the fact.

    The sequencer (`sequencer.py`) gives it its index. `facts["account"]`, an account id, goes
    into the entry as a salted digest only, and so does `facts["subject"]`, the name by which the
    client knows this account: as `subject_digest`. Everything else stands there for ever, so
    nothing in it may say who the person is.
    Raises FactsRefused (`broker.audit.entry`) on an unknown event or a value that is no fact,
    and RecordAltered where the sequencer refuses to go on, and at the first entry of a process
    where a backup was restored.
    """
    extensions = serving.extensions()  # once: each look at the application costs
    house: Tools = extensions["broker"]
    account, salt = _account_id(facts), house.random(_SALT)
    shown = dict(facts)
    subject = shown.pop("subject", None)
    if account is not None:
        shown["account"] = subject_digest(salt, account)
    if subject is not None:
        shown["subject_digest"] = subject_digest(salt, _subject(subject, account))
    leaf = compose(event, shown, now, entropy.token(house.random, bits=128))
    if account is not None and len(account) >= _TELLING and account.encode() in leaf:
        raise FactsRefused("the account's id stands in another fact")
    if PROVED not in extensions:
        checkpoint.prove_once(tx)
    salted = salt if account else None
    if _STAGE.first(tx, octets=leaf, who=account, salted=salted, known_as=subject) is None:
        raise RecordAltered("the sequencer refuses to go on: its log says why")
    if account is not None:  # last: who listens may make an entry of their own
        for heard in _listeners(extensions, house.features):
            heard(tx, account, event, now)


def subject_digest(salt: bytes, account_id: str) -> str:
    """SHA-256(salt || account id), base64url: nobody links it once the salt is gone."""
    digest = hashlib.sha256(salt + account_id.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def erase(tx: Session, account_id: str) -> None:
    """Destroy what links entries to the account, staged ones too; every proof still holds.

    `subject.erased` says that it was done and how many entries it unlinked, not whose.
    """
    # No leaf may be on its way from the one table to the other.
    one_appender(tx.connection())
    staged = update(AuditStaged).where(AuditStaged.account_id == account_id)
    placed = delete(AuditSubject).where(AuditSubject.account_id == account_id)
    forgotten = staged.values(account_id=None, salt=None, subject=None)
    count = sum(_rows(tx.connection().execute(each)) for each in (forgotten, placed))
    record(tx, "subject.erased", {"entries": count}, tools().clock())


def _rows(result: CursorResult[Any]) -> int:
    return result.rowcount


def _listeners(extensions: dict[str, Any], features: tuple[Feature, ...]) -> Sequence[Listener]:
    """Who listens among these features: worked out once, for they stay the same."""
    known: tuple[tuple[Feature, ...] | None, Sequence[Listener]] = extensions.get(
        _HEARD, (None, ())
    )
    if known[0] is not features:
        listeners = tuple(each.recorded for each in features if each.recorded is not None)
        extensions[_HEARD] = known = features, listeners
    return known[1]


def _account_id(facts: Mapping[str, object]) -> str | None:
    account = facts.get("account")
    if account is not None and (not isinstance(account, str) or not account):
        raise FactsRefused("an account is named by its id")
    return account


def _subject(subject: object, account: str | None) -> str:
    if account is None or not isinstance(subject, str) or not subject:
        raise FactsRefused("a subject is the name of an account")
    return subject
