"""Statements on the way to a token: compiled once, run on the driver's own cursor.

A statement that goes through SQLAlchemy costs several times what the database takes for it, and a
mapped object several times that. What runs here is written with SQLAlchemy and shares the
transaction, the types and the errors of everything else; it only skips the way there.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import JSON, Dialect, Executable
from sqlalchemy.orm import Session

from broker.brief import Brief, known
from broker.db import connection as connection_of
from broker.moment import UtcDateTime

Convert = Callable[[Any], Any]
Row = Callable[[Sequence[Any]], Any]
"""Values in the order of the columns → the row by their names."""


class Ready(Protocol):
    """A statement for one kind of cursor: what that is told, what goes in, what comes out."""

    @property
    def statement(self) -> Any:
        """As the cursor takes it."""
        ...

    def arguments(self, said: Mapping[str, Any]) -> Any:
        """The values as the cursor takes them."""
        ...

    def read(self, values: Sequence[Any]) -> Any:
        """The row by the names of its columns."""
        ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement for one kind of database: its text, what goes in and what comes out."""

    statement: str
    going_in: tuple[tuple[str, Any, Convert | None], ...]
    """Name, the statement's own value, how it is written."""
    positional: bool
    row: Row
    coming_out: tuple[tuple[int, Convert], ...]

    def arguments(self, said: Mapping[str, Any]) -> Any:
        """The values as the driver takes them; one that is not said is the statement's own."""
        told = said.get
        values = [
            told(name, own) if convert is None else convert(told(name, own))
            for name, own, convert in self.going_in
        ]
        if self.positional:
            return values
        return {name: value for (name, _, _), value in zip(self.going_in, values, strict=True)}

    def read(self, values: Sequence[Any]) -> Any:
        """The row by the names of its columns."""
        if self.coming_out:
            values = list(values)
            for place, convert in self.coming_out:
                values[place] = convert(values[place])
        return self.row(values)


class Prepared:
    """A select, insert, update or delete of Core whose parameters are named by `bindparam`.

    An insert takes its columns as parameters; a column that is not said is NULL.
    """

    def __init__(self, statement: Executable) -> None:
        """Remember the statement; it is compiled when a kind of database first runs it."""
        self._statement: Any = statement
        self._ready: dict[type, Ready] = {}

    def first(self, tx: Session, **said: Any) -> Any:
        """The first row, columns by name, or None."""
        ready, cursor = self._run(tx, said)
        values = cursor.fetchone()
        return None if values is None else ready.read(values)

    def all(self, tx: Session, **said: Any) -> list[Any]:
        """Every row, columns by name."""
        ready, cursor = self._run(tx, said)
        return [ready.read(values) for values in cursor.fetchall()]

    def run(self, tx: Session, **said: Any) -> None:
        """Run it, for its effect only."""
        self._run(tx, said)

    def _run(self, tx: Session, said: Mapping[str, Any]) -> tuple[Ready, Any]:
        if type(tx) is Brief:
            dialect, pooled, cursor, way = tx.dialect, tx.pooled, tx.cursor, type(tx.cursor)
        else:
            tx.flush()  # what was added before comes first, as with every other statement
            connection = connection_of(tx)
            dialect, pooled = connection.dialect, connection.connection
            cursor = pooled.cursor()
            way = type(cursor)
        ready = self._ready.get(way)
        if ready is None:
            ready = self._ready[way] = self._prepared(way, dialect)
        try:
            cursor.execute(ready.statement, ready.arguments(said))
        except dialect.loaded_dbapi.Error as error:
            raise known(dialect, pooled, error, str(self._statement)) from error
        return ready, cursor

    def _prepared(self, way: type, dialect: Dialect) -> Ready:
        columns = [column.name for column in self._statement.exported_columns]
        row: Row = namedtuple("Row", columns)._make  # type: ignore[attr-defined]  # noqa: PYI024
        # A cursor of ours knows itself how it is spoken to.
        own: Callable[[Any, Row], Ready] | None = getattr(way, "ready", None)
        return own(self._statement, row) if own else _prepare(self._statement, dialect, row)


def _prepare(statement: Any, dialect: Dialect, row: Row) -> _Ready:
    compiled = statement.compile(dialect=dialect)
    names = tuple(compiled.positiontup if compiled.positional else compiled.binds)
    columns = list(statement.exported_columns)
    coming_out = ((n, _coming_out(column.type, dialect)) for n, column in enumerate(columns))
    return _Ready(
        statement=str(compiled),
        going_in=tuple(
            (name, compiled.params.get(name), _going_in(compiled.binds[name].type, dialect))
            for name in names
        ),
        positional=compiled.positional,
        row=row,
        coming_out=tuple((n, convert) for n, convert in coming_out if convert),
    )


def _going_in(kind: Any, dialect: Dialect) -> Convert | None:
    if isinstance(kind, UtcDateTime) and dialect.name == "sqlite":
        return _to_text
    if type(kind) is JSON and dialect.name == "sqlite" and not kind.none_as_null:
        return _JSON  # as json.dumps does, which asks for its settings first
    convert: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return convert


_JSON = json.JSONEncoder().encode
_READ = json.JSONDecoder().raw_decode


def _coming_out(kind: Any, dialect: Dialect) -> Convert | None:
    if isinstance(kind, UtcDateTime) and dialect.name == "sqlite":
        return _to_moment
    if type(kind) is JSON and dialect.name == "sqlite":
        return _from_json
    convert: Convert | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return convert


def _to_text(moment: datetime | None) -> str | None:
    # As SQLAlchemy writes it, in a sixth of the time.
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_json(text: str | None) -> Any:
    # What we wrote ourselves has nothing around it, and need not be searched for that.
    return None if text is None else _READ(text)[0]


def _to_moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
