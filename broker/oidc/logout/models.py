"""Table: what relying services have still to be told."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from broker.outbox import Outgoing


class LogoutNotice(Outgoing):
    """That a service must be told of a sign-out; the row is gone once it has been, or given up.

    It names the person and the visit as the service knows them, never the account: a notice
    outlives an erasure by what its delivery takes. No foreign key: a service may be removed.
    """

    __tablename__ = "logout_notice"

    client_id: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(255))
    sid: Mapped[str | None] = mapped_column(String(43))
