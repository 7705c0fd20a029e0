"""Whose turn it is to append: one transaction's at a time, until it ends."""

from sqlalchemy import Connection, text

_LOCK = 0x6D696674_6175
"""Key of PostgreSQL's advisory lock; of transactions, never of sessions: a pool may lie between."""

_PORTION, _PORTION_IN_TURN = 1024, 128

_WAIT = text("SELECT pg_advisory_xact_lock(:key)")
_TRY = text("SELECT pg_try_advisory_xact_lock(:key)")
_NEVER_IDLE = text("SELECT set_config('idle_in_transaction_session_timeout', '5s', true)")


def one_appender(connection: Connection) -> None:
    """Wait until no other transaction appends; on SQLite that has been so since it began."""
    if _has_locks(connection):
        connection.execute(_WAIT, {"key": _LOCK})


def is_free(connection: Connection) -> bool:
    """Whether no other transaction appends; then none will until this one ends."""
    return not _has_locks(connection) or bool(connection.scalar(_TRY, {"key": _LOCK}))


def never_idle(connection: Connection) -> None:
    """End this transaction where its process falls silent for five seconds.

    The server notices by itself when a process dies, but not when its machine does.
    """
    if _has_locks(connection):
        connection.execute(_NEVER_IDLE)


def portion(connection: Connection) -> int:
    """How many entries are well placed at once: on SQLite everybody who writes waits meanwhile."""
    return _PORTION if _has_locks(connection) else _PORTION_IN_TURN


def _has_locks(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
