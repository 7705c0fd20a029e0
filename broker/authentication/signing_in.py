"""Signing in with an enrolled key: the question, and what follows from the answer."""

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
from broker.errors import BrokerError, EvidenceRejected, TooLarge
from broker.web.tools import tools


def ask(tx: Session, handle: str, account_id: str | None, now: datetime) -> dict[str, Any]:
    """Options for the page's script; only keys of `account_id` are asked for, if it is given."""
    ceremony = challenge.issue(tx, Purpose.SIGN_IN, handle, now, account_id=account_id)
    keys = store.keys_of(tx, account_id) if account_id else ()
    lifetime = tools().settings.authentication.ceremony_lifetime
    return request_options(ceremony.expected, allow=map(store.known, keys), lifetime=lifetime)


def accept(tx: Session, handle: str, value: str, message: str, now: datetime) -> str | BrokerError:
    """The secret of the session that was begun, or the refusal, which is on record.

    Returned, not raised: a refusal that is raised would take its own record back.
    """
    facts: dict[str, object] = {}
    try:
        ceremony = challenge.redeem(tx, Purpose.SIGN_IN, handle, value, now)
        key = _judge(tx, ceremony, message, facts, now)
    except (EvidenceRejected, TooLarge) as refusal:
        record(tx, "sign_in.refused", {**facts, "reason": refusal.hint}, now)
        return refusal
    record(tx, "sign_in.accepted", {**facts, "authenticator": key.level}, now)
    return sessions.begin(tx, key.account_id, key.level, now, tools().random)


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
