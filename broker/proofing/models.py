"""Tables: tries under way, their count, hand-overs, what was filed, who went on without."""

from datetime import date, datetime

from sqlalchemy import JSON, Date, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class OpenAttempt(Base):
    """One try of one account at one verifier; `reading` waits, sealed, for the person's word.

    `answer` is what came back from another house, sealed, until its person collects it with the
    ticket of which `ticket` is the digest.
    """

    __tablename__ = "attempt"

    handle: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    session_id: Mapped[str] = mapped_column(String(43))
    interaction: Mapped[str] = mapped_column(String(43))
    kind: Mapped[str] = mapped_column(String(40))
    remembered: Mapped[bytes] = mapped_column(LargeBinary)
    reading: Mapped[bytes | None] = mapped_column(LargeBinary)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    ticket: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Try(Base):
    """That an account sent something to be read, so that tries can be counted."""

    __tablename__ = "attempt_try"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class FiledEvidence(Base):
    """What a person showed and confirmed; `body` is sealed, the rest decides if it is in force.

    `at` is when it was shown, `filed` when it was confirmed. `digest` is that of the body with
    a salt that lies inside the seal: it is worth nothing once the account's key is gone.
    """

    __tablename__ = "evidence"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    filed: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[date | None] = mapped_column(Date)
    digest: Mapped[str] = mapped_column(String(43))


class Waiver(Base):
    """That a person goes on, in this interaction, with what there is."""

    __tablename__ = "proofing_waiver"

    interaction: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Handover(Base):
    """That one attempt may be answered from another device, once, until `expires`.

    `id` is no secret by itself: the address is a MAC of it, and only the address's digest is
    compared. `done` once something has been read.
    """

    __tablename__ = "proofing_handover"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    address: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    attempt: Mapped[str] = mapped_column(String(43), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    client_name: Mapped[dict[str, str]] = mapped_column(JSON)
    done: Mapped[bool] = mapped_column(default=False)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
