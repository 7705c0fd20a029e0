"""Tables of the OpenID desk: clients, grants, and what was minted from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class ClientRow(Base):
    """A registered relying service; `metadata_text` is its ClientMetadata as JSON.

    A removed one is known to nobody but those who agreed to something with it.
    """

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    metadata_text: Mapped[str] = mapped_column(Text)
    registration_token: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    removed: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InitialAccess(Base):
    """An invitation to register, by digest; each registration uses it once."""

    __tablename__ = "initial_access"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    uses_left: Mapped[int]
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class GrantRow(Base):
    """A completed authorization and its code; revoking it kills everything minted from it.

    `id` is the digest of the code. `code_spent` is set exactly once.
    """

    __tablename__ = "authorization_grant"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked: Mapped[datetime | None] = mapped_column(UtcDateTime)
    redirect_uri: Mapped[str | None] = mapped_column(String(2048))
    code_challenge: Mapped[str | None] = mapped_column(String(43))
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))
    code_expires: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code_spent: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AccessToken(Base):
    """An access token, by digest; without a grant it is the client's own (client credentials).

    `cnf` says who may present it (RFC 7800), `actor` who acts with it for the person (RFC 8693
    §4.1); an empty `audience` is this broker.
    """

    __tablename__ = "access_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant_id: Mapped[str | None] = mapped_column(ForeignKey("authorization_grant.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    scope: Mapped[list[str]] = mapped_column(JSON)
    audience: Mapped[list[str]] = mapped_column(JSON)
    cnf: Mapped[dict[str, str]] = mapped_column(JSON)
    actor: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    issued: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class RefreshToken(Base):
    """A refresh token, by digest; spent at each rotation, its reuse revokes the grant.

    `cnf` binds a public client's token to its key. `sealed` is the answer that spending it
    bought, readable with the token itself only; `successor` is the token in that answer.
    """

    __tablename__ = "refresh_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("authorization_grant.id"), index=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    spent: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cnf: Mapped[dict[str, str]] = mapped_column(JSON)
    successor: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class PushedRequest(Base):
    """An authorization request that came before its person (RFC 9126), by digest of its URI."""

    __tablename__ = "pushed_request"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SigningKeyUsed(Base):
    """A signing key of ours that has signed, by its `kid`, and when it was first noted."""

    __tablename__ = "signing_key_used"

    kid: Mapped[str] = mapped_column(String(43), primary_key=True)
    alg: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
