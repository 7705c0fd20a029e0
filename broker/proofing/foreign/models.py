"""Table: which foreign identity is whose."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class ForeignIdentity(Base):
    """That a scheme's stable identifier belongs to an account, found by its keyed digest.

    The identifier itself is sealed with the account's key. `method` says how it came to be linked.
    """

    __tablename__ = "foreign_identity"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    scheme: Mapped[str] = mapped_column(String(40))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    method: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
