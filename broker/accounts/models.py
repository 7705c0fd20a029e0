"""Tables: the account, its own key, and the sessions that browsers hold."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class Account(Base):
    """A person's record with us: nothing but a random name and a date."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime)


class AccountKey(Base):
    """The key that seals everything personal about one account, itself sealed by keys/wrapping.

    Destroying this row is erasing the person.
    """

    __tablename__ = "account_key"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary(128))


class Session(Base):
    """A browser's signed-in state; the cookie's secret is stored as its digest only."""

    __tablename__ = "session"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    authenticator: Mapped[str] = mapped_column(String(40))
    auth_time: Mapped[datetime] = mapped_column(UtcDateTime)
    seen: Mapped[datetime] = mapped_column(UtcDateTime)
