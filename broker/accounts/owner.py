"""Whose account page this is, and whether they may change what matters."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from broker.accounts import session as sessions
from broker.errors import NotAllowed
from broker.feature import SignedIn
from broker.web import cookies
from broker.web.tools import tools

FRESH = timedelta(minutes=5)
"""How long ago a person may have signed in when they change or destroy what matters."""


def signed_in(tx: Session, now: datetime) -> SignedIn | None:
    """Who is signed in in this browser, or None."""
    settings = tools().settings.authentication
    return sessions.find(tx, cookies.read(cookies.SESSION), now, settings)


def owner(tx: Session, now: datetime) -> SignedIn:
    """Who is signed in in this browser. Raises NotAllowed not_signed_in."""
    who = signed_in(tx, now)
    if who is None:
        raise NotAllowed("not_signed_in")
    return who


def fresh_owner(tx: Session, now: datetime) -> SignedIn:
    """Who is signed in here, by a way that counts, and just now.

    Raises NotAllowed: not_signed_in, recovery_cooling, sign_in_again.
    """
    who = owner(tx, now)
    if is_weakest(who):
        raise NotAllowed("recovery_cooling")
    if not is_fresh(who, now):
        raise NotAllowed("sign_in_again")
    return who


def is_fresh(who: SignedIn, now: datetime) -> bool:
    """Whether they signed in just now."""
    return now < who.auth_time + FRESH


def is_weakest(who: SignedIn) -> bool:
    """Whether they came by the weakest way that the policy knows: a code that anybody may find."""
    policy = tools().policy
    return policy.authenticators[who.authenticator].level == policy.authenticator_order[0]
