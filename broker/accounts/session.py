"""The browser's signed-in state: begun with a new secret at every sign-in, looked up, ended.

Whoever ends a session here has told the other rooms of it in the same transaction.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session as Tx

from broker import entropy
from broker.accounts.models import Session
from broker.entropy import RandomBytes
from broker.feature import SignedIn
from broker.prepared import Prepared
from broker.settings import AuthenticationSettings
from broker.web import cookies
from broker.web.tools import tools

_HELD = Prepared(select(Session.__table__).where(Session.secret == bindparam("of")))
_TOUCH = Prepared(
    update(Session).where(Session.id == bindparam("of")).values(seen=bindparam("now"))
)

Names = tuple[Mapping[str, str], ...]
"""Names, by language, of the services that will be told of a sign-out."""


def begin(tx: Tx, account_id: str, authenticator: str, now: datetime, draw: RandomBytes) -> str:
    """The secret of a new session, for the cookie; the one this browser held is ended.

    A new secret at every sign-in is what keeps a planted cookie worthless (session fixation).
    The same person's session keeps its name: to relying services it is the same visit (`sid`),
    and its end must reach all of them. Another person's is signed out.
    """
    session_id = _go_on(tx, account_id, cookies.read(cookies.SESSION)) or entropy.token(draw)
    _sweep(tx, now)
    secret = entropy.token(draw)
    session = Session(
        id=session_id,
        secret=cookies.digest(secret),
        account_id=account_id,
        authenticator=authenticator,
        auth_time=now,
        seen=now,
    )
    tx.add(session)
    return secret


def find(
    tx: Tx, secret: str | None, now: datetime, settings: AuthenticationSettings
) -> SignedIn | None:
    """Who is signed in with this cookie, or None: unknown, too old or too long idle."""
    row = _HELD.first(tx, of=cookies.digest(secret)) if secret else None
    if row is None:
        return None
    if now >= row.auth_time + settings.session_lifetime or now >= row.seen + settings.session_idle:
        return None
    return SignedIn(row.id, row.account_id, row.authenticator, row.auth_time)


def touch(tx: Tx, session_id: str, now: datetime) -> None:
    """Note that the session was used."""
    # A statement, not an attribute: the row may be gone by the time that it is written.
    _TOUCH.run(tx, of=session_id, now=now)


def end(tx: Tx, secret: str | None) -> Names:
    """End the session of this cookie, if it is one; returns which services will be told."""
    row = _row(tx, secret)
    if row is None:
        return ()
    tx.execute(delete(Session).where(Session.id == row.id))
    return _tell(tx, row.account_id, row.id)


def end_all(tx: Tx, account_id: str) -> int:
    """End every session of the account; returns how many there were."""
    gone = tx.scalars(delete(Session).where(Session.account_id == account_id).returning(Session.id))
    ended = len(gone.all())
    _tell(tx, account_id, None)
    return ended


def end_others(tx: Tx, account_id: str, session_id: str) -> None:
    """End every session of the account but this one."""
    others = Session.account_id == account_id, Session.id != session_id
    for other in tx.scalars(delete(Session).where(*others).returning(Session.id)).all():
        _tell(tx, account_id, other)


def _go_on(tx: Tx, account_id: str, secret: str | None) -> str | None:
    """The name of the session that this browser held, if it was this person's."""
    row = _row(tx, secret)
    if row is None or row.account_id != account_id:
        end(tx, secret)
        return None
    tx.execute(delete(Session).where(Session.id == row.id))
    return row.id


def _row(tx: Tx, secret: str | None) -> Session | None:
    if not secret:
        return None
    return tx.scalar(select(Session).where(Session.secret == cookies.digest(secret)))


def _tell(tx: Tx, account_id: str, session_id: str | None) -> Names:
    told = (f.signed_out(tx, account_id, session_id) for f in tools().features if f.signed_out)
    return tuple(name for names in told for name in names)


def _sweep(tx: Tx, now: datetime) -> None:
    # Whoever comes takes out what is over: nothing outlives its time in a house that is visited.
    over = now - tools().settings.authentication.session_lifetime
    tx.execute(delete(Session).where(Session.auth_time <= over))
