"""Tables: where a person wants to be told, and what they have still to be told."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime
from broker.outbox import Outgoing


class NoticeAddress(Base):
    """An account's address for notices, and the one that its owner has still to prove.

    `address` and `pending` are sealed; `code` is a keyed digest of what was sent to `pending`.
    """

    __tablename__ = "notice_address"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2))
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    pending: Mapped[bytes | None] = mapped_column(LargeBinary)
    code: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    offered: Mapped[datetime] = mapped_column(UtcDateTime)
    offers: Mapped[int]
    """How often a code was sent since the last one that was proved: the wait doubles."""
    tries: Mapped[int]
    """How often a code was typed wrongly since the last one that was sent."""


class Notice(Outgoing):
    """A letter that has still to be sent; sealed, since it says to whom."""

    __tablename__ = "notice"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    letter: Mapped[bytes] = mapped_column(LargeBinary)
