"""Table: the agreement of an account with a client."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class Consent(Base):
    """All that was ever agreed to, and when last; the client's name as it was read then.

    `claims` are names of single claims, `details` what exactly may be done (RFC 9396).
    """

    __tablename__ = "consent"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    client_name: Mapped[dict[str, str]] = mapped_column(JSON)
    scope: Mapped[list[str]] = mapped_column(JSON)
    claims: Mapped[list[str]] = mapped_column(JSON)
    details: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
