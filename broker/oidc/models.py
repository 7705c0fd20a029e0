"""Tables of the OpenID desk: clients, grants, and what was minted from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class ClientRow(Base):
    """A registered relying service; `metadata_text` is its ClientMetadata as JSON."""

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    metadata_text: Mapped[str] = mapped_column(Text)
    registration_token: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created: Mapped[datetime] = mapped_column(UtcDateTime)


class GrantRow(Base):
    """A completed authorization; revoking it kills everything minted from it."""

    __tablename__ = "authorization_grant"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Code(Base):
    """An authorization code, by digest; spent exactly once."""

    __tablename__ = "authorization_code"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("authorization_grant.id"), index=True)
    redirect_uri: Mapped[str] = mapped_column(String(2048))
    code_challenge: Mapped[str] = mapped_column(String(43))
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    spent: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AccessToken(Base):
    """An access token, by digest; without a grant it is the client's own (client credentials)."""

    __tablename__ = "access_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant_id: Mapped[str | None] = mapped_column(ForeignKey("authorization_grant.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    scope: Mapped[list[str]] = mapped_column(JSON)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class RefreshToken(Base):
    """A refresh token, by digest; spent at each rotation, its reuse revokes the grant."""

    __tablename__ = "refresh_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("authorization_grant.id"), index=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    spent: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UsedOnce(Base):
    """What was used and may not be used again while it lives: assertion and proof identifiers."""

    __tablename__ = "used_once"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
