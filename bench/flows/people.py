"""`python -m bench.flows.people N [--known]`: N people signed in here; prints their cookies.

Each has an account, evidence that is in force, an agreement with the service and a session, all
made by the functions by which the pages make them, each with its entry in the record. With
--known they are not new, but any of those who have an account.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.flows.contestant import CLIENT_ID
from broker.accounts import session as sessions
from broker.accounts import store
from broker.accounts.models import Account
from broker.app import create_app
from broker.audit.log import record
from broker.consent import store as consents
from broker.db import transaction
from broker.feature import Asked, SignedIn
from broker.proofing import store as proofing
from broker.rehearsal.people import PEOPLE
from broker.web import cookies
from broker.web.tools import Tools, tools

SCOPE = frozenset({"openid", "profile", "assurance"})
AUTHENTICATOR = "passkey_synced"
SHOWN = PEOPLE["declared"]


def main(count: int, *, known: bool) -> list[str]:
    """The Cookie headers of `count` people."""
    with create_app().test_request_context():
        house = tools()
        name, now = cookies.name_of(cookies.SESSION), house.clock()
        with transaction() as tx:
            accounts = _known(tx, count) if known else (_new(tx, house, now) for _ in range(count))
            return [f"{name}={_come(tx, account, house, now)}" for account in accounts]


def _known(tx: Session, count: int) -> Iterable[str]:
    return tx.scalars(select(Account.id).order_by(func.random()).limit(count)).all()


def _new(tx: Session, house: Tools, now: datetime) -> str:
    account = store.create(tx, house.keyring.wrapping, now, house.random)
    record(tx, "account.created", {"account": account}, now)
    shown = SHOWN.shown(now)
    if shown is None:
        raise LookupError(SHOWN.name)
    filing = proofing.file(tx, account, shown, now)
    facts = {"account": account, "kind": shown.kind, "evidence": filing.id}
    record(tx, "evidence.accepted", facts | {"digest": filing.digest}, now)
    return account


def _come(tx: Session, account: str, house: Tools, now: datetime) -> str:
    record(tx, "sign_in.accepted", {"account": account, "authenticator": AUTHENTICATOR}, now)
    secret = sessions.begin(tx, account, AUTHENTICATOR, now, house.random)
    agreed = {"account": account, "client": CLIENT_ID, "scope": sorted(SCOPE)}
    record(tx, "consent.given", agreed, now)
    consents.give(tx, _asked(account, now), now)
    return secret


def _asked(account: str, now: datetime) -> Asked:
    name = {"en": "A service of the bench"}
    nobody = Asked(CLIENT_ID, name, {}, "", SCOPE, frozenset(), (), None, now)
    return replace(nobody, signed_in=SignedIn("", account, AUTHENTICATOR, now))


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), known="--known" in sys.argv)))
