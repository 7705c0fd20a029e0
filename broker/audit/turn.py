"""Whose turn it is to append: one transaction's at a time, until it ends."""

from sqlalchemy import Connection, text

_LOCK = 0x6D696674_6175
"""Key of PostgreSQL's advisory lock."""

_WAIT = text("SELECT pg_advisory_xact_lock(:key)")


def one_appender(connection: Connection) -> None:
    """Wait until no other transaction appends; on SQLite that has been so since it began."""
    if connection.dialect.name == "postgresql":
        connection.execute(_WAIT, {"key": _LOCK})
