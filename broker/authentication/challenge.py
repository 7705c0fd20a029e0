"""Challenges: issued to one browser for one purpose and one visit, redeemed exactly once."""

import base64
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.orm import Session

from broker import entropy
from broker.authentication.client_data import Expected
from broker.authentication.models import Challenge
from broker.errors import EvidenceRejected
from broker.web import cookies
from broker.web.tools import Tools, tools


class Purpose(StrEnum):
    """What an answer to the challenge may be used for."""

    SIGN_IN = "sign_in"
    ENROL = "enrol"
    SAVE = "save"
    """Enrol, without a question to the person: right after they used another key."""


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One question to a key: what its answer must be about, and for whom it was put.

    `account_id` is the only account it may be answered for, None where any key may sign in or
    a new account is to be made; `user_handle` is what a new key will be told its owner is,
    `session_id` the session in which it must be answered.
    """

    expected: Expected
    account_id: str | None
    user_handle: bytes | None
    session_id: str | None = None


def issue(  # noqa: PLR0913  each is one tie of the challenge
    tx: Session,
    purpose: Purpose,
    handle: str,
    now: datetime,
    *,
    account_id: str | None = None,
    user_handle: bytes | None = None,
    session_id: str | None = None,
) -> Ceremony:
    """A fresh ceremony for this browser; challenges that are over are swept away."""
    tx.execute(delete(Challenge).where(Challenge.expires <= now))
    value = entropy.token(tools().random)
    row = Challenge(
        value=value,
        browser=cookies.digest(cookies.browser()),
        purpose=purpose,
        handle=handle,
        account_id=account_id,
        user_handle=user_handle,
        session_id=session_id,
        expires=now + tools().settings.authentication.ceremony_lifetime,
    )
    tx.add(row)
    return Ceremony(_expected(value, purpose, tools()), account_id, user_handle, session_id)


def redeem(tx: Session, purpose: Purpose, handle: str, value: str, now: datetime) -> Ceremony:
    """The ceremony of this challenge, which is spent by this call, whatever its answer is worth.

    One DELETE finds and spends it, so of two answers at the same moment one comes too late.
    Raises EvidenceRejected key_too_late: unknown, spent, over, another browser's, purpose's or
    visit's.
    """
    if not value.isprintable():  # a NUL, which PostgreSQL takes in no text
        raise EvidenceRejected("key_too_late", "challenge_spent")
    statement = (
        delete(Challenge)
        .where(
            Challenge.value == value,
            Challenge.browser == cookies.digest(cookies.browser()),
            Challenge.purpose == purpose,
            Challenge.handle == handle,
        )
        .returning(
            Challenge.account_id, Challenge.user_handle, Challenge.session_id, Challenge.expires
        )
    )
    found = tx.execute(statement).one_or_none()
    if found is None or now >= found.expires:
        raise EvidenceRejected("key_too_late", "challenge_spent")
    return Ceremony(
        _expected(value, purpose, tools()), found.account_id, found.user_handle, found.session_id
    )


def forget(tx: Session, account_id: str) -> None:
    """Remove every open challenge of the account."""
    tx.execute(delete(Challenge).where(Challenge.account_id == account_id))


def _expected(value: str, purpose: Purpose, held: Tools) -> Expected:
    octets = base64.urlsafe_b64decode(value + "=")
    attended = purpose is not Purpose.SAVE
    return Expected(octets, held.settings.issuer, held.settings.rp_id, attended=attended)
