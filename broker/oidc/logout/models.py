"""Table: what relying services have still to be told."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class LogoutNotice(Base):
    """That a service must be told of a sign-out; the row is gone once it has been, or given up.

    It names the person and the visit as the service knows them, never the account: a notice
    outlives an erasure by what its delivery takes. No foreign key: a service may be removed.
    """

    __tablename__ = "logout_notice"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(255))
    sid: Mapped[str | None] = mapped_column(String(43))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    due: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When it may be tried next; moved ahead by whoever takes it, so that nobody else does."""
    tries: Mapped[int]
