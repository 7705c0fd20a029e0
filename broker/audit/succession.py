"""Shards: one tree under one name after another; a name that was left signs nothing more."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from broker.audit import note
from broker.audit.entry import to_milliseconds
from broker.audit.models import AuditSuccession
from broker.web.tools import tools


def close(connection: Connection, origin: str, successor: str, last: str, now: datetime) -> str:
    """The name to sign under from now on: `successor`, after saying so under the old name.

    `last` is the old name's last checkpoint. A name that was closed stays closed: where the
    clock went back over a new year, the present name goes on.
    """
    if _is_closed(connection, successor):
        return origin
    _, size, root, *_ = last.split("\n")
    said = note.statement("successor", origin, (successor, size, root), tools().keyring.checkpoint)
    row = {"origin": origin, "successor": successor, "note": said, "time": to_milliseconds(now)}
    connection.execute(insert(AuditSuccession), row)
    return successor


def statements(connection: Connection) -> list[str]:
    """What was said at the end of every shard, oldest first."""
    query = select(AuditSuccession.note).order_by(AuditSuccession.time)
    return list(connection.scalars(query))


def _is_closed(connection: Connection, origin: str) -> bool:
    query = select(AuditSuccession.origin).where(AuditSuccession.origin == origin)
    return connection.scalar(query) is not None
