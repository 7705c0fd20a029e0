"""The deeds behind registration: inviting, registering, changing and removing a service.

What a service may show to be let in is stored as a digest; every deed is recorded.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit.log import record
from broker.entropy import RandomBytes
from broker.errors import OAuthCode, OAuthError
from broker.oidc import store
from broker.oidc.client_metadata import SECRET_METHODS, ClientMetadata
from broker.oidc.models import AccessToken, ClientRow, GrantRow, InitialAccess


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration as its owner is told of it; what is secret is told this once."""

    client_id: str
    metadata: ClientMetadata
    created: datetime
    secret: str | None = None
    management_token: str | None = None


def invite(tx: Session, draw: RandomBytes, uses: int, lifetime: timedelta, now: datetime) -> str:
    """An initial access token (RFC 7591 §3): whoever holds it may register so many services."""
    token = entropy.token(draw)
    row = InitialAccess(digest=store.digest(token), uses_left=uses, expires=now + lifetime)
    tx.add(row)
    record(tx, "client.invited", {"uses": uses, "days": lifetime.days}, now)
    return token


def check_invitation(tx: Session, unverified_token: str, now: datetime) -> None:
    """That the token invites, without using it up. Raises OAuthError invalid_token."""
    row = tx.get(InitialAccess, store.digest(unverified_token))
    if row is None or row.uses_left < 1 or now >= row.expires:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "the initial access token is not good")


def use_invitation(tx: Session, unverified_token: str, now: datetime) -> None:
    """Use the token once; of two at once, the last use goes to one. Raises OAuthError."""
    used = tx.execute(
        update(InitialAccess)
        .where(
            InitialAccess.digest == store.digest(unverified_token),
            InitialAccess.uses_left > 0,
            InitialAccess.expires > now,
        )
        .values(uses_left=InitialAccess.uses_left - 1)
        .returning(InitialAccess.digest)
        .execution_options(synchronize_session=False)
    )
    if used.first() is None:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "the initial access token is not good")


def register(  # noqa: PLR0913  what is registered, and how
    tx: Session,
    metadata: ClientMetadata,
    draw: RandomBytes,
    now: datetime,
    *,
    client_id: str | None = None,
    managed: bool = False,
) -> Registered:
    """A new registration; `managed`: with a token for its owner to change it with."""
    secret = entropy.token(draw) if _has_secret(metadata) else None
    token = entropy.token(draw) if managed else None
    row = ClientRow(
        id=client_id or entropy.token(draw, bits=128),
        secret=store.digest(secret) if secret else None,
        metadata_text=_text(metadata),
        registration_token=store.digest(token) if token else None,
        created=now,
    )
    tx.add(row)
    facts = {"client": row.id, "by": "invitation" if managed else "operator"}
    record(tx, "client.registered", facts, now)
    return Registered(row.id, metadata, now, secret, token)


def managed_row(tx: Session, client_id: str, unverified_token: str) -> ClientRow:
    """The row that this management token opens. Raises OAuthError invalid_token.

    An unknown client and a wrong token are answered alike (RFC 7592 §2.1).
    """
    row = store.find_row(tx, client_id)
    expected = (row and row.registration_token) or b""
    if row is None or not hmac.compare_digest(store.digest(unverified_token), expected):
        raise OAuthError(OAuthCode.INVALID_TOKEN, "the registration access token is not good")
    return row


def change(
    tx: Session, row: ClientRow, metadata: ClientMetadata, draw: RandomBytes, now: datetime
) -> Registered:
    """The registration replaced; a secret is made, or forgotten, where the method asks for it."""
    secret = None
    if not _has_secret(metadata):
        row.secret = None
    elif row.secret is None:
        secret = entropy.token(draw)
        row.secret = store.digest(secret)
    row.metadata_text = _text(metadata)
    record(tx, "client.changed", {"client": row.id, "what": "metadata"}, now)
    return Registered(row.id, metadata, row.created, secret)


def remove(tx: Session, row: ClientRow, now: datetime) -> None:
    """The service is unknown from now on, and nothing that it was given is good any more.

    The row stays: what people agreed to names it, and its identifier is never given again.
    """
    granted = select(GrantRow.id).where(GrantRow.client_id == row.id, GrantRow.revoked.is_(None))
    for grant_id in tx.scalars(granted).all():
        store.revoke_grant(tx, grant_id, now)
    tx.execute(delete(AccessToken).where(AccessToken.client_id == row.id))
    row.removed, row.secret, row.registration_token = now, None, None
    record(tx, "client.removed", {"client": row.id}, now)


def _has_secret(metadata: ClientMetadata) -> bool:
    return metadata.token_endpoint_auth_method in SECRET_METHODS


def _text(metadata: ClientMetadata) -> str:
    return metadata.model_dump_json(exclude_defaults=True)
