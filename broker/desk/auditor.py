"""Who reads the record: a program by its own token, or an appointed person by a strong sign-in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit.log import record
from broker.desk.models import Auditor
from broker.desk.scope import ADMIN
from broker.desk.sight import Sight
from broker.entropy import RandomBytes
from broker.errors import NotAllowed, OAuthCode, OAuthError
from broker.identity.assurance import Policy
from broker.web.tools import Caller

LEAST = "C2"
"""The least level at which a person must have signed in to read the record."""


@dataclass(frozen=True, slots=True)
class Reader:
    """An auditor at work: their name in the record, what they may do, and how far they see.

    `client` is the program they use, None at the desk's own pages.
    """

    name: str
    client: str | None
    scope: frozenset[str]
    sight: Sight
    is_person: bool

    def need(self, scope: str) -> None:
        """Raises OAuthError insufficient_scope where they may not do it."""
        if scope not in self.scope:
            raise OAuthError(OAuthCode.INSUFFICIENT_SCOPE, f"the scope {scope} is needed")

    def may_see(self, owner: str) -> bool:
        """Whether what this auditor asked for is theirs, or they look after the others."""
        return owner == self.name or ADMIN in self.scope


def of_caller(tx: Session, caller: Caller, policy: Policy) -> Reader:
    """The auditor who sent an access token.

    Raises OAuthError insufficient_user_authentication (RFC 9470 §3) for a weak sign-in, and
    NotAllowed for a person who was not appointed.
    """
    if caller.account_id is None:
        name = f"client:{caller.client_id}"
        return Reader(name, caller.client_id, caller.scope, caller.audit_clients, is_person=False)
    if not is_strong(caller.authenticator, policy):
        raise OAuthError(
            OAuthCode.INSUFFICIENT_USER_AUTHENTICATION, f"a sign-in of level {LEAST} is needed"
        )
    found = appointed(tx, caller.account_id)
    return Reader(
        name=found.id,
        client=caller.client_id,
        scope=caller.scope & frozenset(found.scope),
        sight=_both(caller.audit_clients, _sight(found)),
        is_person=True,
    )


def of_account(tx: Session, account_id: str) -> Reader:
    """The auditor who is signed in at the desk's pages. Raises NotAllowed."""
    found = appointed(tx, account_id)
    return Reader(found.id, None, frozenset(found.scope), _sight(found), is_person=True)


def is_strong(level: str | None, policy: Policy) -> bool:
    """Whether a sign-in of this authenticator level is enough to read the record."""
    order = policy.authenticator_order
    return level in order and order.index(level) >= order.index(LEAST)


def appointed(tx: Session, account_id: str) -> Auditor:
    """The auditor whose account this is. Raises NotAllowed."""
    found = tx.scalar(select(Auditor).where(Auditor.account_id == account_id))
    if found is None:
        raise NotAllowed("not_an_auditor")
    return found


def appoint(  # noqa: PLR0913  who, for what, for whom, when
    tx: Session,
    account_id: str,
    scope: frozenset[str],
    clients: frozenset[str] | None,
    now: datetime,
    draw: RandomBytes,
) -> str:
    """The name in the record of a person who may read it from now on."""
    name = f"auditor:{entropy.token(draw, bits=96)}"
    limit = None if clients is None else sorted(clients)
    row = Auditor(id=name, account_id=account_id, scope=sorted(scope), clients=limit, since=now)
    tx.add(row)
    tx.flush()
    facts = {"account": account_id, "auditor": name, "scope": sorted(scope), "clients": limit}
    record(tx, "auditor.appointed", facts, now)
    return name


def dismiss(tx: Session, name: str, now: datetime) -> bool:
    """Whether this auditor was one; from now on they read nothing."""
    gone = tx.scalar(delete(Auditor).where(Auditor.id == name).returning(Auditor.account_id))
    if gone is None:
        return False
    record(tx, "auditor.dismissed", {"account": gone, "auditor": name}, now)
    return True


def forget(tx: Session, account_id: str) -> None:
    """An erased person audits nothing any more."""
    tx.execute(delete(Auditor).where(Auditor.account_id == account_id))


def _sight(row: Auditor) -> Sight:
    return None if row.clients is None else frozenset(row.clients)


def _both(one: Sight, other: Sight) -> Sight:
    if one is None or other is None:
        return other if one is None else one
    return one & other
