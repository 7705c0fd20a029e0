"""Append to the record, in the transaction of the fact."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, delete, insert, select
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit import checkpoint
from broker.audit.entry import FactsRefused, Projection, compose
from broker.audit.merkle import leaf_hash
from broker.audit.models import AuditEntry, AuditSubject
from broker.audit.tree import complete_tiles
from broker.audit.turn import one_appender
from broker.web.tools import tools

_SALT = 32
_TELLING = 16
"""Characters from which on a text is a name and not a chance: account ids have 43."""

# Made once: on the way to a token, making a statement anew costs more than running it.
_LAST = select(AuditEntry.idx, AuditEntry.latest).order_by(AuditEntry.idx.desc()).limit(1)
_APPEND = insert(AuditEntry)
_LINK = insert(AuditSubject)


def record(tx: Session, event: str, facts: Mapping[str, object], now: datetime) -> int:
    """The index of the new entry, gapless from 0; it stands or falls with the transaction.

    `facts["account"]`, an account id, goes into the entry as a salted digest only, and so does
    `facts["subject"]`, the name by which the client knows this account: as `subject_digest`.
    Everything else stands there for ever, so nothing in it may say who the person is.
    Raises FactsRefused (`broker.audit.entry`) on an unknown event or a value that is no fact.
    """
    draw = tools().random
    account, salt = _account_id(facts), draw(_SALT)
    shown = dict(facts)
    subject = shown.pop("subject", None)
    if account is not None:
        shown["account"] = subject_digest(salt, account)
    if subject is not None:
        shown["subject_digest"] = subject_digest(salt, _subject(subject, account))
    leaf, told = compose(event, shown, now, entropy.token(draw, bits=128))
    if account is not None and len(account) >= _TELLING and account.encode() in leaf:
        raise FactsRefused("the account's id stands in another fact")
    connection = tx.connection()
    index, latest = _next(connection)
    _append(connection, index, leaf, told, max(latest, told.time))
    if account is not None:
        row = {"idx": index, "account_id": account, "salt": salt, "subject": subject}
        connection.execute(_LINK, row)
    complete_tiles(connection, index + 1)
    checkpoint.keep_up(tx, index + 1, now)
    if account is not None:  # last: who listens may make an entry of their own
        _tell(tx, account, event, now)
    return index


def subject_digest(salt: bytes, account_id: str) -> str:
    """SHA-256(salt || account id), base64url: nobody links it once the salt is gone."""
    digest = hashlib.sha256(salt + account_id.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def erase(tx: Session, account_id: str) -> None:
    """Destroy what links entries to the account; every proof of them still holds.

    `subject.erased` says that it was done and how many entries it unlinked, not whose.
    """
    gone = tx.execute(delete(AuditSubject).where(AuditSubject.account_id == account_id))
    count = cast("CursorResult[Any]", gone).rowcount
    record(tx, "subject.erased", {"entries": count}, tools().clock())


def _tell(tx: Session, account_id: str, event: str, now: datetime) -> None:
    for feature in tools().features:
        if feature.recorded is not None:
            feature.recorded(tx, account_id, event, now)


def _account_id(facts: Mapping[str, object]) -> str | None:
    account = facts.get("account")
    if account is not None and (not isinstance(account, str) or not account):
        raise FactsRefused("an account is named by its id")
    return account


def _subject(subject: object, account: str | None) -> str:
    if account is None or not isinstance(subject, str) or not subject:
        raise FactsRefused("a subject is the name of an account")
    return subject


def _next(connection: Connection) -> tuple[int, str]:
    """The index of the next entry, and the latest time of those before it."""
    one_appender(connection)
    last = connection.execute(_LAST).first()
    return (0, "") if last is None else (last.idx + 1, last.latest)


def _append(connection: Connection, index: int, leaf: bytes, told: Projection, latest: str) -> None:
    # A projection's names are those of the columns.
    hashed = {"idx": index, "leaf": leaf, "leaf_hash": leaf_hash(leaf), "latest": latest}
    connection.execute(_APPEND, {**hashed, **told._asdict()})
