"""Tries under way: opened, counted, read and taken away again; each for one person's browser."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from broker import entropy
from broker.accounts import vault
from broker.errors import NotFound, TooMany
from broker.feature import Asked
from broker.identity.evidence import Evidence, from_json, to_json
from broker.identity.verifier import Attempt, Opening, Reply
from broker.interaction.replay import first_use
from broker.proofing.models import OpenAttempt, Try
from broker.web import cookies
from broker.web.tools import tools

HOUR = timedelta(hours=1)
KEPT_OPEN = 8
"""Attempts that one account may have open at once: as many tabs as a person may use."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt belongs: whose it is, in which sign-in, for what request, at which door."""

    account_id: str
    session_id: str
    interaction: str
    kind: str


def place(asked: Asked, kind: str) -> Place:
    """The place of attempts of whoever is signed in. Raises NotFound where nobody is."""
    person = asked.person()
    session = asked.signed_in.session_id if asked.signed_in else ""
    return Place(person, session, asked.interaction or "", kind)


def begin(tx: Session, where: Place, handle: str, opening: Opening, now: datetime) -> None:
    """Keep a new attempt and what its verifier must remember."""
    _tidy(tx, where.account_id, now)
    row = OpenAttempt(
        handle=handle,
        account_id=where.account_id,
        session_id=where.session_id,
        interaction=where.interaction,
        kind=where.kind,
        remembered=_seal(tx, where.account_id, handle, "remembered", dict(opening.remember)),
        reading=None,
        answer=None,
        ticket=None,
        created=now,
        expires=now + tools().settings.proofing.attempt_lifetime,
    )
    tx.add(row)


def find(
    tx: Session, handle: str, where: Place, now: datetime, *, alone: bool = False
) -> OpenAttempt:
    """The attempt. Raises NotFound: unknown, over, another's or another sign-in's.

    All look the same, so that a guessed or forwarded address tells nothing. `alone`: whoever
    asks for it at the same time waits until this transaction is over (two clicks, one deed).
    """
    row = seek(tx, handle, where, now, alone=alone)
    if row is None:
        raise NotFound("evidence_unknown")
    return row


def seek(
    tx: Session, handle: str, where: Place, now: datetime, *, alone: bool = False
) -> OpenAttempt | None:
    """As `find`, None where it would raise."""
    row = tx.get(OpenAttempt, handle, with_for_update=alone)
    if row is None or now >= row.expires:
        return None
    is_here = Place(row.account_id, row.session_id, row.interaction, row.kind) == where
    return row if is_here else None


def resume(tx: Session, row: OpenAttempt, now: datetime, locale: str) -> Attempt:
    """The attempt as its verifier is told of it."""
    remembered = _unseal(tx, row, "remembered", row.remembered)
    return Attempt(row.handle, now, locale, remembered)


def reopen(tx: Session, row: OpenAttempt, opening: Opening, now: datetime) -> None:
    """Give a refused attempt another try: what was remembered for the last one is gone.

    The handle stays, so that a form sent twice by an impatient finger is answered twice.
    """
    fresh = dict(opening.remember)
    row.remembered = _seal(tx, row.account_id, row.handle, "remembered", fresh)
    row.expires = now + tools().settings.proofing.attempt_lifetime


def keep(tx: Session, row: OpenAttempt, evidence: Evidence) -> None:
    """Seal what was read until the person has looked at it; what they may see is not replaced."""
    if row.reading is None:
        row.reading = _seal(tx, row.account_id, row.handle, "reading", to_json(evidence))


def deliver(
    tx: Session, handle: str, kind: str, answer: tuple[str, Reply], now: datetime
) -> tuple[str, str]:
    """Lay down what came back, by name of its door: the interaction, and the ticket to collect it.

    Nobody is asked who they are: the browser could not say. What has been read already stays.
    Raises NotFound: no such attempt, or over.
    """
    row = tx.get(OpenAttempt, handle, with_for_update=True) if handle.isprintable() else None
    if row is None or row.kind != kind or now >= row.expires:
        raise NotFound("foreign_answer_lost")
    ticket = entropy.token(tools().random)
    if row.reading is None:
        name, sent = answer
        body = [name, dict(sent.fields), sorted(sent.repeated)]
        row.answer = _seal(tx, row.account_id, handle, "answer", body)
        row.ticket = cookies.digest(ticket)
    return row.interaction, ticket


def collect(tx: Session, row: OpenAttempt, ticket: str) -> tuple[str, Reply] | None:
    """What lies there for whoever has the ticket, and nothing any more; None where nothing lies.

    Raises NotFound where it is not for this browser.
    """
    if row.answer is None or row.ticket is None:
        return None
    if not hmac.compare_digest(row.ticket, cookies.digest(ticket)):
        raise NotFound("foreign_answer_lost")
    name, fields, repeated = _unseal(tx, row, "answer", row.answer)
    row.answer = row.ticket = None
    return name, Reply(fields, {}, frozenset(repeated))


def used_up(tx: Session, kind: str, evidence: Evidence, now: datetime) -> bool:
    """Whether what may be used once is used now for the first time, or nothing is such."""
    once = evidence.once
    return once is None or first_use(tx, "evidence", kind, once.name, now + once.remembered)


def read(tx: Session, row: OpenAttempt) -> Evidence:
    """What was read. Raises NotFound where nothing has been read yet."""
    if row.reading is None:
        raise NotFound("evidence_unknown")
    return from_json(_unseal(tx, row, "reading", row.reading))


def count(tx: Session, account_id: str, now: datetime) -> None:
    """Count one try more. Raises TooMany past the setting's limit, in any one hour."""
    tx.execute(delete(Try).where(Try.at <= now - HOUR))
    mine = select(func.count()).select_from(Try).where(Try.account_id == account_id)
    if (tx.scalar(mine) or 0) >= tools().settings.proofing.attempts_per_hour:
        raise TooMany("too_many_attempts")
    tx.add(Try(account_id=account_id, at=now))


def _tidy(tx: Session, account_id: str, now: datetime) -> None:
    tx.execute(delete(OpenAttempt).where(OpenAttempt.expires <= now))
    mine = select(OpenAttempt.handle).where(OpenAttempt.account_id == account_id)
    newest_first = mine.order_by(OpenAttempt.created.desc(), OpenAttempt.handle)
    stale = tx.scalars(newest_first.offset(KEPT_OPEN - 1)).all()
    tx.execute(delete(OpenAttempt).where(OpenAttempt.handle.in_(stale)))


def _seal(tx: Session, account_id: str, handle: str, what: str, value: Any) -> bytes:
    house = tools()
    return vault.seal(
        tx, account_id, f"attempt-{what}:{handle}", value, house.keyring.wrapping, house.random
    )


def _unseal(tx: Session, row: OpenAttempt, what: str, sealed: bytes) -> Any:
    purpose = f"attempt-{what}:{row.handle}"
    return vault.unseal(tx, row.account_id, purpose, sealed, tools().keyring.wrapping)
