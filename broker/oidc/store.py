"""Queries of the OpenID desk; whatever may happen only once is one atomic UPDATE."""

import base64
import hashlib
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, insert, select, union_all, update
from sqlalchemy.orm import Session

from broker.interaction.models import UsedOnce
from broker.oidc.client import Client
from broker.oidc.client_metadata import ClientMetadata
from broker.oidc.grant import Grant
from broker.oidc.models import (
    AccessToken,
    ClientRow,
    GrantRow,
    InitialAccess,
    RefreshToken,
)
from broker.prepared import Prepared
from broker.web.tools import tools

# Made once: on the way to a token, making a statement anew costs more than running it.
_CLIENT = Prepared(
    select(ClientRow.id, ClientRow.secret, ClientRow.metadata_text).where(
        ClientRow.id == bindparam("of"), ClientRow.removed.is_(None)
    )
)
_GRANT = Prepared(
    select(GrantRow.body).where(GrantRow.id == bindparam("of"), GrantRow.revoked.is_(None))
)
_REDEEM = Prepared(
    update(GrantRow)
    .where(
        GrantRow.id == bindparam("of"),
        GrantRow.client_id == bindparam("client"),
        GrantRow.code_spent.is_(None),
        GrantRow.revoked.is_(None),
    )
    .values(code_spent=bindparam("now"))
    .returning(
        GrantRow.body,
        GrantRow.redirect_uri,
        GrantRow.code_challenge,
        GrantRow.dpop_jkt,
        GrantRow.code_expires,
    )
)
_ACCESS_TOKEN = Prepared(
    select(*AccessToken.__table__.columns, GrantRow.body, ClientRow.secret, ClientRow.metadata_text)
    .join_from(AccessToken, GrantRow, AccessToken.grant_id == GrantRow.id, isouter=True)
    .join(
        ClientRow,
        and_(AccessToken.client_id == ClientRow.id, ClientRow.removed.is_(None)),
        isouter=True,
    )
    .where(AccessToken.digest == bindparam("of"), GrantRow.revoked.is_(None))
)
_ADD_GRANT = Prepared(insert(GrantRow))
_ADD_ACCESS_TOKEN = Prepared(insert(AccessToken))
_SPEND = Prepared(
    update(RefreshToken)
    .where(RefreshToken.digest == bindparam("of"), RefreshToken.spent.is_(None))
    .values(spent=bindparam("now"))
    .returning(RefreshToken.digest)
)


_DATED = re.compile("[0-9a-f]{8}[A-Za-z0-9_-]{43}")


def digest(secret: str) -> bytes:
    """What is stored in place of a high-entropy code or token: 32 bytes, SHA-256.

    Of a dated one (`entropy.dated`) the date and 224 bits of it: keys by chance would have every
    row write pages of its own (decision 92).
    """
    hashed = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
    if _DATED.fullmatch(secret) is None:
        return hashed
    return bytes.fromhex(secret[:8]) + hashed[:28]


def find_client(tx: Session, client_id: str) -> Client | None:
    """The registered client, or None."""
    # PostgreSQL keeps no NUL and refuses even to look for one.
    if "\0" in client_id:
        return None
    row = _CLIENT.first(tx, of=client_id)
    return None if row is None else Client(row.id, _metadata(row.metadata_text), row.secret)


def find_row(tx: Session, client_id: str) -> ClientRow | None:
    """The registration's row, unless the client was removed."""
    # PostgreSQL keeps no NUL and refuses even to look for one.
    row = tx.get(ClientRow, client_id) if "\0" not in client_id else None
    return None if row is None or row.removed else row


def metadata_of(row: ClientRow) -> ClientMetadata:
    """The registration's metadata."""
    return _metadata(row.metadata_text)


@lru_cache(maxsize=1024)
def _metadata(text: str) -> ClientMetadata:
    # Keyed by the text itself: a changed registration is another key, in every worker.
    return ClientMetadata.model_validate_json(text)


def name_of(unverified_code: str) -> str:
    """The name of the grant that this code stands for: nobody gets from it to the code.

    It tells when the code was made.
    """
    return base64.urlsafe_b64encode(digest(unverified_code)).rstrip(b"=").decode("ascii")


def add_grant(tx: Session, grant: Grant, now: datetime, **said: object) -> None:
    """Keep the grant; `said` are the columns of its code."""
    _ADD_GRANT.run(
        tx,
        id=grant.id,
        account_id=grant.account_id,
        client_id=grant.client_id,
        body=grant.to_json(),
        created=now,
        **said,
    )


def add_access_token(tx: Session, unverified_token: str, **said: object) -> None:
    """Keep the access token, by digest; `said` are the other columns."""
    _ADD_ACCESS_TOKEN.run(tx, digest=digest(unverified_token), **said)


def find_grant(tx: Session, grant_id: str) -> Grant | None:
    """The grant, unless it was revoked or erased."""
    row = _GRANT.first(tx, of=grant_id)
    return None if row is None else Grant.from_json(row.body)


def grants_of(tx: Session, account_id: str) -> list[Grant]:
    """Every grant of the account of which anything may be left, the revoked ones included."""
    mine = select(GrantRow.body).where(GrantRow.account_id == account_id)
    return [Grant.from_json(body) for body in tx.scalars(mine.order_by(GrantRow.created))]


def redeem(tx: Session, unverified_code: str, client: Client, now: datetime) -> Any:
    """The grant's row, its code spent by this very call: two at once cannot both have it.

    None where it was spent before, is another client's or nobody's, or its grant was revoked.
    """
    return _REDEEM.first(tx, of=name_of(unverified_code), client=client.id, now=now)


def find_refresh_token(tx: Session, unverified_token: str) -> RefreshToken | None:
    """The refresh token's row, spent or not."""
    return tx.get(RefreshToken, digest(unverified_token))


def spend(tx: Session, refresh_token: bytes, now: datetime) -> bool:
    """Whether this call was the one that spent it: two at once cannot both hear yes."""
    return _SPEND.first(tx, of=refresh_token, now=now) is not None


def keep_answer(tx: Session, spent: RefreshToken, successor: bytes, sealed: bytes) -> None:
    """Keep what a refresh token bought beside it, and which token came after it."""
    spent.successor, spent.sealed = successor, sealed
    tx.flush()


def is_unspent(tx: Session, refresh_token: bytes | None) -> bool:
    """Whether the refresh token of this digest is still to be used, as of this moment."""
    spent = select(RefreshToken.spent).where(RefreshToken.digest == refresh_token)
    found = tx.execute(spent).first()
    return found is not None and found[0] is None


def drop_access_token(tx: Session, unverified_token: str) -> None:
    """Make the access token worthless."""
    tx.execute(delete(AccessToken).where(AccessToken.digest == digest(unverified_token)))


def revoke_grant(tx: Session, grant_id: str, now: datetime) -> None:
    """Kill the grant: its codes and tokens are no longer honoured."""
    tx.execute(
        update(GrantRow)
        .where(GrantRow.id == grant_id, GrantRow.revoked.is_(None))
        .values(revoked=now)
    )
    tx.execute(delete(AccessToken).where(AccessToken.grant_id == grant_id))


def revoke_service(tx: Session, account_id: str, client_id: str) -> None:
    """Kill every grant that this person gave to this client."""
    now = tools().clock()
    for grant_id in tx.scalars(_grants(account_id).where(GrantRow.client_id == client_id)).all():
        revoke_grant(tx, grant_id, now)


def forget(tx: Session, account_id: str) -> None:
    """Delete every grant of the account and all that was minted from it."""
    grants = list(tx.scalars(_grants(account_id)))
    for table in (AccessToken, RefreshToken):
        tx.execute(delete(table).where(table.grant_id.in_(grants)))
    tx.execute(delete(GrantRow).where(GrantRow.id.in_(grants)))


def find_access_token(
    tx: Session, unverified_token: str, now: datetime
) -> tuple[Any, Grant | None, Client | None] | None:
    """The access token's row, its grant, None for a client's own, and its client while it is one.

    None where it expired or is unknown, its grant revoked or erased.
    """
    row = _ACCESS_TOKEN.first(tx, of=digest(unverified_token))
    if row is None or now >= row.expires:
        return None
    grant = None if row.body is None else Grant.from_json(row.body)
    if row.metadata_text is None:
        return row, grant, None
    return row, grant, Client(row.client_id, _metadata(row.metadata_text), row.secret)


def sweep(tx: Session, now: datetime) -> None:
    """Delete what can no longer be used, and the grants of which nothing is left."""
    for table in (AccessToken, RefreshToken, UsedOnce, InitialAccess):
        tx.execute(delete(table).where(table.expires <= now))
    over = now - tools().settings.oidc.refresh_grace
    old = RefreshToken.sealed.is_not(None), RefreshToken.spent <= over
    tx.execute(update(RefreshToken).where(*old).values(sealed=None))
    # A client's own token has no grant, and NOT IN knows nothing once a NULL is in the list.
    tables = (AccessToken, RefreshToken)
    used = union_all(*(select(t.grant_id).where(t.grant_id.is_not(None)) for t in tables))
    # Kept as long as a session may last: its end is told to whom the grants name.
    kept = max(timedelta(days=1), tools().settings.authentication.session_lifetime)
    idle = GrantRow.created <= now - kept, GrantRow.id.not_in(used)
    tx.execute(delete(GrantRow).where(*idle))


def _grants(account_id: str) -> Select[str]:
    return select(GrantRow.id).where(GrantRow.account_id == account_id)
