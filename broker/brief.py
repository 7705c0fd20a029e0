"""Brief units of work: prepared statements only, on the driver's own connection."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import Any, Final, NoReturn

from sqlalchemy import Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

WAIT_S: Final = 10.0
_BUSY: Final = 5  # SQLITE_BUSY, https://www.sqlite.org/rescode.html


class NotBrief(Exception):
    """More is needed than prepared statements: nothing was done, somebody else must do it."""


class Brief(Session):
    """A unit of work that runs what is prepared; asked for all else of a session it is undone."""

    def __init__(self, dialect: Dialect, pooled: PoolProxiedConnection, cursor: Any) -> None:
        # Not the session's own: that is what this saves.
        self.dialect, self.pooled, self.cursor = dialect, pooled, cursor
        self.read: dict[object, Any] = {}

    def __getattr__(self, name: str) -> NoReturn:
        """Every method of a session comes here for what only a whole one has. Raises NotBrief."""
        raise NotBrief(name)


class Batch:
    """One transaction of SQLite, and the units in it."""

    def __init__(self, dialect: Dialect, pooled: PoolProxiedConnection) -> None:
        """`pooled` is `hasty`. Raises OperationalError where another process writes too long."""
        self.pooled, self.size = pooled, 0
        self._dialect, self._cursor = dialect, pooled.cursor()
        self._lasts = False
        self._error: DBAPIError | None = None
        try:
            self._begin()
        except DBAPIError:
            give_back(pooled)
            raise

    @contextmanager
    def member(self) -> Iterator[Brief]:
        """One unit; if it fails it alone is undone."""
        if self.size:
            self._run("SAVEPOINT unit")
        try:
            yield Brief(self._dialect, self.pooled, self._cursor)
        except BaseException:
            self._undo()
            raise
        self.size += 1

    @property
    def is_spoilt(self) -> bool:
        """Whether nothing of it can last any more."""
        return self._error is not None

    def close(self) -> bool:
        """Make all of it last, or nothing; whoever waits hears which.

        Whether the connection is good for more; else it was given back.
        """
        try:
            if self.size and not self.is_spoilt:
                self._run("COMMIT")
                self._lasts = True
        except DBAPIError as error:
            self._error = error
        finally:
            if self.is_spoilt:
                give_back(self.pooled)
        return not self.is_spoilt

    def tell(self) -> None:
        """Nothing, where it was committed. Raises what the database said where it was not."""
        if self._error is not None:
            raise self._error
        if not self._lasts:
            raise NoConnection("nobody came to commit it")

    def _begin(self) -> None:
        until = monotonic() + WAIT_S
        while not self._has_begun(last=monotonic() >= until):
            pass

    def _has_begun(self, *, last: bool) -> bool:
        try:
            self._run("BEGIN IMMEDIATE")
        except DBAPIError as error:
            if last or not _is_busy(error):
                raise
            return False
        return True

    def _undo(self) -> None:
        try:
            self._run("ROLLBACK TO unit" if self.size else "ROLLBACK")
        except DBAPIError as error:
            # SQLite has undone all of it by itself, as it does when the disk is full. What came
            # after would be another transaction, and what came before be lost in silence.
            self._error = error

    def _run(self, sql: str) -> None:
        try:
            self._cursor.execute(sql)
        except self._dialect.loaded_dbapi.Error as error:
            raise known(self._dialect, self.pooled, error, sql) from error


def _is_busy(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", None) == _BUSY


def hasty(engine: Engine) -> PoolProxiedConnection:
    """A connection of SQLite's that waits for nobody: whoever begins with it asks again.

    Other processes write for a few milliseconds at a time; SQLite's own way of waiting for them
    sleeps for ever longer, and then sleeps on although they are done. Once it has begun to write,
    it never has to wait, and to read it hardly ever has. Raises as `connection_of`.
    """
    pooled = connection_of(engine)
    pooled.cursor().execute("PRAGMA busy_timeout=1")
    return pooled


def give_back(pooled: PoolProxiedConnection) -> None:
    """A `hasty` one becomes patient again; what is open is rolled back."""
    if pooled.is_valid:
        pooled.cursor().execute(f"PRAGMA busy_timeout={int(WAIT_S * 1000)}")
    pooled.close()


@contextmanager
def reading(dialect: Dialect, pooled: PoolProxiedConnection) -> Iterator[Brief]:
    """`pooled` is `hasty`. On any exception it is given back, which ends what it was in.

    Raises NotBrief where SQLite is busy, as after a crash: somebody more patient must read.
    """
    try:
        cursor = pooled.cursor()
        cursor.execute("BEGIN")
        yield Brief(dialect, pooled, cursor)
        cursor.execute("COMMIT")
    except dialect.loaded_dbapi.Error as error:
        give_back(pooled)
        raise known(dialect, pooled, error, "BEGIN") from error
    except DBAPIError as error:
        give_back(pooled)
        if _is_busy(error):
            raise NotBrief("busy") from error
        raise
    except BaseException:
        give_back(pooled)
        raise


@contextmanager
def one(engine: Engine, *, pooler: bool, begins: bool = True) -> Iterator[Brief]:
    """A unit of work on a connection of its own (PostgreSQL).

    Without `begins` each statement stands for itself.
    """
    from broker import libpq  # noqa: PLC0415  its driver is large, and not everybody's

    dialect, pooled = engine.dialect, connection_of(engine)
    try:
        cursor = libpq.Cursor(pooled.dbapi_connection, None if pooler else pooled.info)
        try:
            if begins:
                cursor.command(b"BEGIN")
            yield Brief(dialect, pooled, cursor)
            if begins:
                cursor.command(b"COMMIT")
        except dialect.loaded_dbapi.Error as error:
            raise known(dialect, pooled, error, "BEGIN") from error
    finally:
        pooled.close()  # which rolls back what is open


def connection_of(engine: Engine) -> PoolProxiedConnection:
    """A connection of the pool. Raises what SQLAlchemy raises where there is none."""
    try:
        return engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as error:
        raise known(engine.dialect, None, error, "") from error


def known(
    dialect: Dialect, pooled: PoolProxiedConnection | None, error: Any, sql: str
) -> DBAPIError:
    """What the driver raised, as the house knows it; a connection that is lost is given up."""
    lost = pooled is None or dialect.is_disconnect(error, pooled.dbapi_connection, None)
    if lost and pooled is not None:
        pooled.invalidate(error)
    base = dialect.loaded_dbapi.Error
    made = DBAPIError.instance(
        sql,
        None,
        error,
        base,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
    assert isinstance(made, DBAPIError)  # noqa: S101
    return made


Unit = AbstractContextManager[Brief]
