"""Making a test person real: an account of a fixed name, and evidence in force."""

from datetime import datetime

from sqlalchemy.orm import Session

from broker.accounts import session as sessions
from broker.accounts import store as accounts
from broker.accounts.models import Account
from broker.accounts.subject import pairwise
from broker.audit.log import record
from broker.identity.assurance import in_force
from broker.proofing import store as proofing
from broker.rehearsal.people import TestPerson
from broker.web.tools import Tools


def sign_in(tx: Session, person: TestPerson, house: Tools, now: datetime) -> str:
    """The secret of a new session of the test person, for the cookie."""
    account_id = account_of(person, house)
    if tx.get(Account, account_id) is None:
        accounts.create(tx, house.keyring.wrapping, now, house.random, account_id)
        record(tx, "account.created", {"account": account_id, "rehearsal": True}, now)
    _show(tx, account_id, person, house, now)
    facts = {"account": account_id, "authenticator": person.authenticator}
    record(tx, "sign_in.rehearsed", facts, now)
    return sessions.begin(tx, account_id, person.authenticator, now, house.random)


def account_of(person: TestPerson, house: Tools) -> str:
    """The person's account: the same at every sign-in, on this system only."""
    # No sector is called so: a sector is a host, and a host has no colon.
    return pairwise(house.keyring.pairwise, "rehearsal:", person.name)


def _show(tx: Session, account_id: str, person: TestPerson, house: Tools, now: datetime) -> None:
    filed = proofing.outlines(tx, account_id)
    fresh = any(e.kind == person.evidence and in_force(e, house.policy, now) for e in filed)
    if (shown := person.shown(now)) is None or fresh:
        return
    filing = proofing.file(tx, account_id, shown, now)
    facts = {"account": account_id, "kind": shown.kind, "rehearsal": True}
    record(tx, "evidence.accepted", {**facts, "evidence": filing.id, "digest": filing.digest}, now)
