"""One database, one unit of work: Base, db, transaction(), reading(), scrub(), UtcDateTime."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, event
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

_BEGIN = ContextVar("broker_begin", default="BEGIN IMMEDIATE")
"""How SQLite begins the next transaction; nothing to PostgreSQL."""
_WRITERS = "broker_writers"
_HELD, _READ = "broker_connection", "broker_read_once"
_WAIT_MS, _SCRUB_WAIT_MS = 10_000, 500


class Base(DeclarativeBase):
    """What every table's class derives from."""


db = SQLAlchemy(model_class=Base)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: refuses naive values, returns aware ones in UTC (SQLite forgets time zones)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment in UTC. Raises ValueError on a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextmanager
def transaction() -> Iterator[Session]:
    """A unit of work: commits on a clean exit, rolls back on any exception.

    On SQLite it takes the write lock at once, so a later write cannot fail half-way.
    """
    with _turn(), _unit("BEGIN IMMEDIATE") as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A consistent view for pages that write nothing; takes no write lock."""
    with _unit("BEGIN") as session:
        yield session


@contextmanager
def _turn() -> Iterator[None]:
    # SQLite lets one write at a time and has the others ask again and again. The threads of one
    # process wait for each other here instead, asleep; other processes are SQLite's to handle.
    turn: Lock | None = current_app.extensions.get(_WRITERS)
    nested = db.session().in_transaction()  # which is a mistake, and about to be told as one
    held = turn is not None and not nested and turn.acquire(timeout=_WAIT_MS / 1000)
    try:
        yield
    finally:
        if turn is not None and held:
            turn.release()


@contextmanager
def _unit(begin: str) -> Iterator[Session]:
    session = db.session()
    with session.begin():
        before = _BEGIN.set(begin)
        try:
            # Kept for as long as it lasts: the session would look for it at every statement.
            session.info[_HELD] = session.connection()
        finally:
            _BEGIN.reset(before)
        session.info[_READ] = {}
        try:
            yield session
        finally:
            del session.info[_HELD], session.info[_READ]


def connection(tx: Session) -> Connection:
    """The connection of this unit of work."""
    held: Connection = tx.info.get(_HELD) or tx.connection()
    return held


def read_once(tx: Session) -> dict[object, Any]:
    """What this unit of work has read and may be asked again; whoever writes it takes it out."""
    kept: dict[object, Any] = tx.info.get(_READ, {})
    return kept


def scrub() -> bool:
    """Whether nothing that was deleted and committed is left in SQLite's write-ahead log.

    Deleted pages are overwritten in the database file (secure_delete), but their old content
    stays in the log beside it until that is emptied. False where a reader was in the way: try
    again. PostgreSQL has nothing of the kind to offer; True there.
    """
    if db.engine.dialect.name != "sqlite":
        return True
    connection = db.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_SCRUB_WAIT_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        answer = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout={_WAIT_MS}")
        return answer is not None and not answer[0]
    finally:
        connection.close()


def install(app: Flask, synchronous: str = "FULL") -> None:
    """Bind the database to the application, with the pragmas and locks that SQLite needs."""
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        app.extensions[_WRITERS] = Lock()
        _prepare_sqlite(engine, synchronous)


def _prepare_sqlite(engine: Engine, synchronous: str) -> None:
    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable: the driver's
    # own BEGIN is deferred, and a deferred transaction that turns writer can fail with
    # SQLITE_BUSY whatever the time-out. 24 of 600 appends were lost that way when measured.
    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            f"busy_timeout={_WAIT_MS}",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Any) -> None:
        connection.execute(_BEGIN.get())

    engine.dialect.do_begin = begin  # type: ignore[method-assign,assignment]  # an event costs more
