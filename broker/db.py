"""One database and its units of work: Base, db, transaction(), reading(), briefly(), scrub()."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import DeclarativeBase, Session

from broker import brief, serving
from broker.brief import Unit
from broker.moment import UtcDateTime
from broker.turns import Writer

T = TypeVar("T")

_BEGIN = ContextVar("broker_begin", default="BEGIN IMMEDIATE")
"""How SQLite begins the next transaction; nothing to PostgreSQL."""
_DATABASE = "broker_database"
_HELD, _READ = "broker_connection", "broker_read_once"
_WAIT_MS, _SCRUB_WAIT_MS = 10_000, 500
_WRITTEN_BACK_S = 0.5
_LOG_PAGES = 16_000
"""From which on a request writes SQLite's log back, where nobody else did: 64 MB."""


__all__ = [
    "Base",
    "UtcDateTime",
    "briefly",
    "connection",
    "db",
    "in_turn",
    "install",
    "keep_written_back",
    "read_once",
    "reading",
    "reading_briefly",
    "scrub",
    "transaction",
]


class Base(DeclarativeBase):
    """What every table's class derives from."""


db = SQLAlchemy(model_class=Base)


@dataclass(frozen=True, slots=True)
class _Held:
    """The database of an application, and who writes to it in this process, if one must."""

    engine: Engine
    writer: Writer | None
    pooler: bool


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


def in_turn(work: Callable[[], T]) -> T:
    """What `work` returns, which may work `briefly`; what it wrote is committed by then.

    On SQLite another thread may do it. Raises what `work` raises, and what a database raises.
    """
    held: _Held = serving.extensions()[_DATABASE]
    return work() if held.writer is None else held.writer.do(work)


def briefly() -> Unit:
    """A unit of work for prepared statements only, at a fraction of the price of `transaction`.

    Raises NotBrief where more is asked of it, and then nothing of it was done.
    """
    held: _Held = serving.extensions()[_DATABASE]
    return brief.one(held.engine, pooler=held.pooler) if held.writer is None else held.writer.unit()


def reading_briefly() -> Unit:
    """As `briefly`, for what writes nothing; takes no write lock."""
    held: _Held = serving.extensions()[_DATABASE]
    if held.writer is not None:
        return held.writer.reading()
    # As PostgreSQL reads in a transaction: each statement sees what is committed by then.
    return brief.one(held.engine, pooler=held.pooler, begins=False)


def _turn() -> AbstractContextManager[None]:
    # SQLite lets one write at a time and has the others ask again and again. The threads of one
    # process wait for each other here instead, asleep; other processes are SQLite's to handle.
    held: _Held = serving.extensions()[_DATABASE]
    nested = db.session().in_transaction()  # which is a mistake, and about to be told as one
    return nullcontext() if held.writer is None or nested else held.writer.alone()


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
    if type(tx) is brief.Brief:
        return tx.read
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


def keep_written_back(pause: Callable[[float], bool]) -> None:
    """Write SQLite's log back into its database again and again, so that no request has to.

    Until `pause`, which waits so many seconds, says that it was enough. It waits for nobody, and
    nobody for it (PASSIVE). On PostgreSQL there is nothing to do.
    """
    engine: Engine = serving.extensions()[_DATABASE].engine
    while not pause(_WRITTEN_BACK_S):
        if engine.dialect.name == "sqlite":
            connection = engine.raw_connection()
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
            connection.close()


def install(app: Flask, synchronous: str = "FULL", *, pooler: bool = False) -> None:
    """Bind the database to the application, with the pragmas and locks that SQLite needs.

    `pooler`: one stands in front of PostgreSQL, and gives each transaction another connection.
    """
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    is_sqlite = engine.dialect.name == "sqlite"
    app.extensions[_DATABASE] = _Held(engine, Writer(engine) if is_sqlite else None, pooler)
    if is_sqlite:
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
            f"wal_autocheckpoint={_LOG_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Any) -> None:
        connection.execute(_BEGIN.get())

    engine.dialect.do_begin = begin  # type: ignore[method-assign,assignment]  # an event costs more
