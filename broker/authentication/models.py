"""Tables: keys, questions put to them that await an answer, recovery codes, apps, FIDO metadata."""

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
    name: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: people name their keys after themselves and their homes."""
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    full_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """End of the cooling period of a key that was enrolled by a recovery code."""


class Challenge(Base):
    """A question put to a key: for one browser, one purpose and one visit; answered once."""

    __tablename__ = "webauthn_challenge"

    value: Mapped[str] = mapped_column(String(43), primary_key=True)
    browser: Mapped[bytes] = mapped_column(LargeBinary(32))
    purpose: Mapped[str] = mapped_column(String(10))
    handle: Mapped[str] = mapped_column(String(43))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), index=True)
    user_handle: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    session_id: Mapped[str | None] = mapped_column(String(43))
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class RecoveryCode(Base):
    """A code of somebody's sheet, by its keyed digest; a used one stays to tell its owner."""

    __tablename__ = "recovery_code"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made: Mapped[datetime] = mapped_column(UtcDateTime)
    used: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Totp(Base):
    """An authenticator app: its secret, sealed, and the newest time step that was accepted."""

    __tablename__ = "totp"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[datetime] = mapped_column(UtcDateTime)
    proved: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_step: Mapped[int] = mapped_column(BigInteger)


class MetadataBlob(Base):
    """The FIDO metadata in force: one row, with its number, which never goes back."""

    __tablename__ = "metadata_blob"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    next_update: Mapped[datetime] = mapped_column(UtcDateTime)
    imported: Mapped[datetime] = mapped_column(UtcDateTime)


class MetadataModel(Base):
    """What the metadata in force knows of one model; `anchors` are base64 of DER."""

    __tablename__ = "metadata_model"

    aaguid: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    statuses: Mapped[list[str]] = mapped_column(JSON)
    protection: Mapped[list[str]] = mapped_column(JSON)
    anchors: Mapped[list[str]] = mapped_column(JSON)
    fresh_until: Mapped[datetime] = mapped_column(UtcDateTime)
    icon: Mapped[bytes | None] = mapped_column(LargeBinary)
