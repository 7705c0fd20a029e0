"""Signing in with an enrolled key: the question, and what follows from the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broker.accounts import session as sessions
from broker.audit.log import record
from broker.authentication import challenge, store
from broker.authentication.ceremony import demand_for_us, request_options, verify_assertion
from broker.authentication.challenge import Ceremony, Purpose
from broker.authentication.message import UnverifiedAssertion, parse_assertion, reject
from broker.authentication.models import Authenticator
from broker.authentication.standing import standing, suffices
from broker.errors import BrokerError, EvidenceRejected, TooLarge
from broker.feature import SignedIn
from broker.web.tools import tools


@dataclass(frozen=True, slots=True)
class Accepted:
    """A session that was begun: its secret, for the cookie, and the policy's name for the way."""

    secret: str = field(repr=False)
    authenticator: str


def ask(
    tx: Session, handle: str, bound: SignedIn | None, now: datetime, level: str | None = None
) -> dict[str, Any]:
    """Options for the page's script; only keys of the `bound` person are asked for, if given.

    Of these, where there are some, only such as reach the authenticator level `level`.
    """
    account_id = bound.account_id if bound else None
    session_id = bound.session_id if bound else None
    ceremony = challenge.issue(
        tx, Purpose.SIGN_IN, handle, now, account_id=account_id, session_id=session_id
    )
    keys: Sequence[Authenticator] = ()
    if account_id:
        keys = able(tx, account_id, level, now) or store.keys_of(tx, account_id)
    lifetime = tools().settings.authentication.ceremony_lifetime
    return request_options(ceremony.expected, allow=map(store.known, keys), lifetime=lifetime)


def able(tx: Session, account_id: str, level: str | None, now: datetime) -> list[Authenticator]:
    """The account's keys that reach this authenticator level today."""
    keys = store.keys_of(tx, account_id)
    return [key for key in keys if suffices(way_of(tx, key, now), level, tools().policy)]


def accept(  # noqa: PLR0913  the visit, the question and the answer to it
    tx: Session, handle: str, person: SignedIn | None, value: str, message: str, now: datetime
) -> Accepted | BrokerError:
    """The session that was begun, or the refusal, which is on record.

    `person` is who is signed in in this browser now: who was asked to confirm that it is them
    must still be. The visit that the challenge is bound to fixes the client and the wanted `acr`.

    Returned, not raised: a refusal that is raised would take its own record back.
    """
    facts: dict[str, object] = {}
    try:
        ceremony = challenge.redeem(tx, Purpose.SIGN_IN, handle, value, now)
        _demand_same_session(ceremony, person)
        key = _judge(tx, ceremony, message, facts, now)
    except (EvidenceRejected, TooLarge) as refusal:
        record(tx, "sign_in.refused", {**facts, "reason": refusal.hint}, now)
        return refusal
    way = way_of(tx, key, now)
    record(tx, "sign_in.accepted", {**facts, "authenticator": way}, now)
    return Accepted(sessions.begin(tx, key.account_id, way, now, tools().random), way)


def _demand_same_session(ceremony: Ceremony, person: SignedIn | None) -> None:
    if ceremony.account_id is None:
        return
    if person is None or person.session_id != ceremony.session_id:
        raise EvidenceRejected("key_too_late", "another_session")


def way_of(tx: Session, key: Authenticator, now: datetime) -> str:
    """The policy's name for a sign-in with this key at this moment."""
    least = tools().settings.authentication.least_certification
    return standing(store.facts(key), store.model_of(tx, key.aaguid), least, now)


def _judge(
    tx: Session, ceremony: Ceremony, message: str, facts: dict[str, object], now: datetime
) -> Authenticator:
    answer = parse_assertion(message)
    key = _find(tx, ceremony, answer)
    facts.update(account=key.account_id, key=key.id)
    identified = ceremony.account_id is not None
    if identified and key.account_id != ceremony.account_id:
        # Whoever confirms that it is them must be who they were: any other key of ours is no use.
        raise reject("another_account")
    used = verify_assertion(answer, store.known(key), ceremony.expected, identified=identified)
    if not store.note_use(tx, key, used.sign_count, backed_up=used.backed_up, now=now):
        raise reject("counter_not_risen")
    return key


def _find(tx: Session, ceremony: Ceremony, answer: UnverifiedAssertion) -> Authenticator:
    # "We do not know this key" is worth saying to somebody who removed it and forgot. It tells
    # nothing to a stranger: credential IDs are random, at least 16 octets long, and never shown
    # by us to anybody but their owner. It is said only of an answer that is otherwise for us;
    # all other refusals look the same, whether the key is known or not.
    key = store.find(tx, answer.credential_id)
    if key is None:
        demand_for_us(answer, ceremony.expected)
        raise EvidenceRejected("key_unknown", "key_unknown")
    return key
