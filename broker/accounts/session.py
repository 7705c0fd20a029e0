"""The browser's signed-in state: begun with a new secret at every sign-in, looked up, ended."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Tx

from broker import entropy
from broker.accounts.models import Session
from broker.entropy import RandomBytes
from broker.feature import SignedIn
from broker.settings import AuthenticationSettings
from broker.web import cookies
from broker.web.tools import tools


def begin(tx: Tx, account_id: str, authenticator: str, now: datetime, draw: RandomBytes) -> str:
    """The secret of a new session, for the cookie; the one this browser held is ended.

    A new secret at every sign-in is what keeps a planted cookie worthless (session fixation).
    """
    end(tx, cookies.read(cookies.SESSION))
    _sweep(tx, now)
    secret = entropy.token(draw)
    session = Session(
        id=entropy.token(draw),
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
    if not secret:
        return None
    row = tx.scalar(select(Session).where(Session.secret == cookies.digest(secret)))
    if row is None:
        return None
    if now >= row.auth_time + settings.session_lifetime or now >= row.seen + settings.session_idle:
        return None
    return SignedIn(row.id, row.account_id, row.authenticator, row.auth_time)


def touch(tx: Tx, session_id: str, now: datetime) -> None:
    """Note that the session was used."""
    if (row := tx.get(Session, session_id)) is not None:
        row.seen = now


def end(tx: Tx, secret: str | None) -> None:
    """End the session of this cookie, if it is one."""
    if secret:
        tx.execute(delete(Session).where(Session.secret == cookies.digest(secret)))


def end_all(tx: Tx, account_id: str) -> int:
    """End every session of the account; returns how many there were."""
    gone = tx.scalars(delete(Session).where(Session.account_id == account_id).returning(Session.id))
    return len(gone.all())


def end_others(tx: Tx, account_id: str, session_id: str) -> None:
    """End every session of the account but this one."""
    mine = Session.account_id == account_id
    tx.execute(delete(Session).where(mine, Session.id != session_id))


def _sweep(tx: Tx, now: datetime) -> None:
    # Whoever comes takes out what is over: nothing outlives its time in a house that is visited.
    over = now - tools().settings.authentication.session_lifetime
    tx.execute(delete(Session).where(Session.auth_time <= over))
