"""Sending what waits in the outbox, one letter at a time."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from broker.accounts import vault
from broker.audit.log import record
from broker.db import reading, transaction
from broker.errors import UpstreamUnavailable
from broker.notices import smtp, store
from broker.notices.letter import Letter, write
from broker.notices.models import Notice
from broker.notices.outbox import LETTER
from broker.web.tools import tools

LEASE: Final = timedelta(minutes=2)
"""How long a letter belongs to the worker that took it: longer than any try may last."""

FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
GIVE_UP: Final = timedelta(days=2)


def send_next() -> bool:
    """Whether a letter was due; it was tried, and no transaction was open meanwhile.

    A worker that dies in the middle leaves a letter that is due again when its lease is over:
    somebody may be told twice, never not at all.
    """
    house, now = tools(), tools().clock()
    if not house.settings.mail.host:
        return False
    with reading() as tx:
        due = store.next_due(tx, now)
    if due is None:
        return False
    with transaction() as tx:
        taken = store.take(tx, due, now, LEASE)
        letter = _open(tx, taken) if taken else None
    if letter is None:
        return True
    fault = None
    try:
        smtp.send(letter, house.settings.mail)
    except UpstreamUnavailable as error:
        fault = error.hint
    with transaction() as tx:
        _settle(tx, letter.id, fault, house.clock())
    return True


def _open(tx: Session, row: Notice) -> Letter:
    house = tools()
    said = vault.unseal(tx, row.account_id, LETTER, row.letter, house.keyring.wrapping)
    subject, text = write(
        row.kind, said["language"], row.created, house.settings.issuer, said["code"]
    )
    return Letter(row.id, said["to"], subject, text, row.created)


def _settle(tx: Session, notice_id: str, fault: str | None, now: datetime) -> None:
    row = tx.get(Notice, notice_id)
    if row is None:  # the account was erased meanwhile
        return
    facts: dict[str, object] = {"account": row.account_id, "notice": row.kind, "tries": row.tries}
    wait = min(FIRST_WAIT * int(2 ** min(row.tries - 1, 20)), LONGEST_WAIT)
    if fault is None:
        record(tx, "notice.told", facts, now)
    elif now + wait >= row.created + GIVE_UP:
        record(tx, "notice.refused", {**facts, "reason": fault}, now)
    else:
        store.postpone(tx, notice_id, now + wait)
        return
    store.drop(tx, notice_id)
