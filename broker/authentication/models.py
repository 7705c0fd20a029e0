"""Tables: the keys people sign in with, and the questions put to keys that await an answer."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class Authenticator(Base):
    """An enrolled key: the credential record of WebAuthn Level 3 §4, and its owner's name for it.

    `id` is a random name of the row, for our pages and the record: the credential ID itself
    stands in no URL and no log.
    """

    __tablename__ = "authenticator"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    user_handle: Mapped[bytes] = mapped_column(LargeBinary(64))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(JSON)
    aaguid: Mapped[str] = mapped_column(String(36))
    attestation_format: Mapped[str] = mapped_column(String(40))
    attestation_object: Mapped[bytes] = mapped_column(LargeBinary)
    client_data: Mapped[bytes] = mapped_column(LargeBinary)
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    level: Mapped[str] = mapped_column(String(40))
    """Key of the policy's `authenticators` table."""
    name: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: people name their keys after themselves and their homes."""
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Challenge(Base):
    """A question put to a key: for one browser, one purpose and one visit; answered once."""

    __tablename__ = "webauthn_challenge"

    value: Mapped[str] = mapped_column(String(43), primary_key=True)
    browser: Mapped[bytes] = mapped_column(LargeBinary(32))
    purpose: Mapped[str] = mapped_column(String(10))
    handle: Mapped[str] = mapped_column(String(43))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), index=True)
    user_handle: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
