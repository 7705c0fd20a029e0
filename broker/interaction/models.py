"""Tables: the parked request, and what may be used only once."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from broker.db import Base, UtcDateTime


class Interaction(Base):
    """A parked authorization request; `asked` is for the steps, `request` for the OpenID desk."""

    __tablename__ = "interaction"

    handle: Mapped[str] = mapped_column(String(43), primary_key=True)
    browser: Mapped[bytes] = mapped_column(LargeBinary(32))
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    began: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class UsedOnce(Base):
    """What was used and may not be used again while it lives: assertion and proof identifiers."""

    __tablename__ = "used_once"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
