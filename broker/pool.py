"""The connections to the database: how many a worker keeps, and how lost ones are found out."""

import select
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import DisconnectionError

from broker.settings import DatabaseSettings

_CONNECTING_S, _SILENT_MS, _QUEUE_S = 5, 10_000, 10


def options(url: str, settings: DatabaseSettings) -> dict[str, Any]:
    """How the engine is made for the database at this URL; nothing for SQLite in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        in_memory = parsed.database in {None, "", ":memory:"}
        return {} if in_memory else {"pool_size": settings.connections}
    asked: dict[str, Any] = {
        "connect_timeout": _CONNECTING_S,
        "tcp_user_timeout": _SILENT_MS,
        # What is worth preparing is prepared by broker.libpq: psycopg would forget that with
        # its own at every rollback (DEALLOCATE ALL).
        "prepare_threshold": None,
    }
    return {
        "pool_size": settings.connections,
        "max_overflow": 0,
        "pool_timeout": _QUEUE_S,
        "pool_use_lifo": True,
        "pool_events": [(_still_there, "checkout")],
        "connect_args": asked,
    }


def _still_there(connection: Any, _record: object, _proxy: object) -> None:
    """Raises DisconnectionError, and the pool tries another, where the server has hung up.

    Between transactions the server has nothing to say but farewell, so whatever can be read is
    that. It costs no round trip, which `pool_pre_ping` would, at every request.
    """
    told = select.poll()
    told.register(connection.fileno(), select.POLLIN)
    if told.poll(0):
        raise DisconnectionError
