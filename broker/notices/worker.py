"""Sending what waits in the outbox, one letter at a time."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from broker import outbox
from broker.accounts import vault
from broker.audit.log import record
from broker.db import reading, transaction
from broker.errors import UpstreamUnavailable
from broker.notices import smtp
from broker.notices.letter import Letter, write
from broker.notices.models import Notice
from broker.notices.posting import LETTER
from broker.outbox import Pace
from broker.web.tools import tools

PACE: Final = Pace(
    lease=timedelta(minutes=2),  # longer than any try may last
    first_wait=timedelta(seconds=30),
    longest_wait=timedelta(hours=1),
    give_up=timedelta(days=2),
)


def send_next() -> bool:
    """Whether a letter was due; it was tried, and no transaction was open meanwhile.

    A worker that dies in the middle leaves a letter that is due again when its lease is over:
    somebody may be told twice, never not at all.
    """
    house, now = tools(), tools().clock()
    if not house.settings.mail.host:
        return False
    with reading() as tx:
        due = outbox.next_due(tx, Notice, now)
    if due is None:
        return False
    with transaction() as tx:
        taken = outbox.take(tx, Notice, due, now, PACE.lease)
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
    again = None if fault is None else PACE.again(row.created, row.tries, now)
    if again is not None:
        outbox.postpone(tx, Notice, notice_id, again)
        return
    if fault is None:
        record(tx, "notice.told", facts, now)
    else:
        record(tx, "notice.refused", {**facts, "reason": fault}, now)
    outbox.drop(tx, Notice, notice_id)
