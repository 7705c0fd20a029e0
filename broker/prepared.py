"""Statements on the way to a token: compiled once, run on the driver's own cursor.

A statement that goes through SQLAlchemy costs several times what the database takes for it, and a
mapped object several times that. What runs here is written with SQLAlchemy and shares the
transaction, the types and the errors of everything else; it only skips the way there.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from broker.db import connection as connection_of

Convert = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement for one kind of database: its text, what goes in and what comes out."""

    sql: str
    parameters: tuple[tuple[str, Convert], ...]
    constants: Mapping[str, Any]
    positional: bool
    row: Callable[..., Any]
    columns: tuple[Convert, ...]

    def arguments(self, said: Mapping[str, Any]) -> Any:
        """The values as the driver takes them; one that is not said is the statement's own."""
        values = [
            said.get(name, self.constants.get(name))
            if convert is None
            else convert(said.get(name, self.constants.get(name)))
            for name, convert in self.parameters
        ]
        if self.positional:
            return values
        return dict(zip((name for name, _ in self.parameters), values, strict=True))

    def read(self, values: Sequence[Any]) -> Any:
        """The row by the names of its columns."""
        return self.row(
            *[
                value if convert is None else convert(value)
                for value, convert in zip(values, self.columns, strict=True)
            ]
        )


class Prepared:
    """A select, insert, update or delete of Core whose parameters are named by `bindparam`.

    An insert takes its columns as parameters; a column that is not said is NULL.
    """

    def __init__(self, statement: Executable) -> None:
        """Remember the statement; it is compiled when a kind of database first runs it."""
        self._statement: Any = statement
        self._ready: dict[str, _Ready] = {}

    def first(self, tx: Session, **said: Any) -> Any:
        """The first row, columns by name, or None."""
        ready, cursor = self._run(tx, said)
        values = cursor.fetchone()
        cursor.close()
        return None if values is None else ready.read(values)

    def all(self, tx: Session, **said: Any) -> list[Any]:
        """Every row, columns by name."""
        ready, cursor = self._run(tx, said)
        found = [ready.read(values) for values in cursor.fetchall()]
        cursor.close()
        return found

    def run(self, tx: Session, **said: Any) -> None:
        """Run it, for its effect only."""
        self._run(tx, said)[1].close()

    def _run(self, tx: Session, said: Mapping[str, Any]) -> tuple[_Ready, Any]:
        tx.flush()  # what was added before comes first, as with every other statement
        connection = connection_of(tx)
        dialect = connection.dialect
        ready = self._ready.get(dialect.name)
        if ready is None:
            ready = self._ready[dialect.name] = _prepare(self._statement, dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(ready.sql, ready.arguments(said))
        except dialect.loaded_dbapi.Error as error:
            if dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor):
                connection.invalidate(error)
            base = dialect.loaded_dbapi.Error
            raise DBAPIError.instance(
                ready.sql, None, error, base, hide_parameters=True, dialect=dialect
            ) from error
        return ready, cursor


def _prepare(statement: Any, dialect: Dialect) -> _Ready:
    compiled = statement.compile(dialect=dialect)
    names = compiled.positiontup if compiled.positional else list(compiled.binds)
    columns = list(statement.exported_columns)
    return _Ready(
        sql=str(compiled),
        parameters=tuple((name, _going_in(compiled.binds[name].type, dialect)) for name in names),
        constants=compiled.params,
        positional=compiled.positional,
        row=namedtuple("Row", [column.name for column in columns]),  # noqa: PYI024  made at run time
        columns=tuple(_coming_out(column.type, dialect) for column in columns),
    )


def _going_in(kind: Any, dialect: Dialect) -> Convert:
    convert: Convert = kind.dialect_impl(dialect).bind_processor(dialect)
    return convert


def _coming_out(kind: Any, dialect: Dialect) -> Convert:
    convert: Convert = kind.dialect_impl(dialect).result_processor(dialect, None)
    return convert
