"""PostgreSQL's prepared statements, asked of libpq itself.

psycopg's own way there takes five times the processor's time of libpq's, most of it for types
that it has to find out: a prepared statement knows them. Values go out as text, octets as they
are; they come back in PostgreSQL's binary form, which no setting of a session changes.
https://www.psycopg.org/psycopg3/docs/api/pq.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Final

from psycopg.errors import OperationalError, error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import JSON, Date, Dialect, Integer, LargeBinary, String
from sqlalchemy.dialects.postgresql import psycopg

from broker.moment import UtcDateTime

_BINARY: Final = 1
_SUCCEEDED: Final = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # of the binary form of a moment
_PREPARED: Final = "broker_prepared"
_DIALECT: Final[Dialect] = psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_NUMBERS: Final = count(1)

Outward = Callable[[Any], bytes | None]
Inward = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as PostgreSQL is told it, once a connection."""

    name: bytes
    sql: bytes
    formats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A statement, what goes in and what comes out."""

    statement: Statement
    names: tuple[str, ...]
    outward: tuple[Outward, ...]
    constants: Mapping[str, Any]
    row: Callable[[Sequence[Any]], Any]
    inward: tuple[Inward, ...]

    def arguments(self, said: Mapping[str, Any]) -> list[bytes | None]:
        """The values as libpq takes them; one that is not said is the statement's own."""
        values = {**self.constants, **said}
        return [tell(values[name]) for name, tell in zip(self.names, self.outward, strict=True)]

    def read(self, values: Sequence[bytes | None]) -> Any:
        """The row by the names of its columns."""
        told = zip(values, self.inward, strict=True)
        return self.row([None if value is None else read(value) for value, read in told])


class Cursor:
    """Runs statements on one connection, as a driver's cursor does."""

    def __init__(self, connection: Any, kept: dict[Any, Any] | None) -> None:
        """`connection` is psycopg's. `kept` is remembered for as long as the connection lives.

        None where what is prepared is not: behind a pooler.
        """
        self._libpq: PGconn = connection.pgconn
        self._told: set[bytes] | None = None if kept is None else kept.setdefault(_PREPARED, set())
        self._result: PGresult

    @staticmethod
    def ready(statement: Any, row: Callable[[Sequence[Any]], Any]) -> Spoken:
        """The statement for this cursor. Raises TypeError for a type not in the table here."""
        compiled = statement.compile(dialect=_DIALECT)
        names = tuple(compiled.positiontup)
        kinds = [compiled.binds[name].type for name in names]
        formats = tuple(_BINARY if isinstance(kind, LargeBinary) else 0 for kind in kinds)
        return Spoken(
            Statement(b"broker_%d" % next(_NUMBERS), str(compiled).encode(), formats),
            names,
            tuple(_outward(kind) for kind in kinds),
            {name: compiled.params.get(name) for name in names},
            row,
            tuple(_inward(column.type) for column in statement.exported_columns),
        )

    def execute(self, statement: Statement, arguments: list[bytes | None]) -> None:
        """Run it. Raises psycopg.Error."""
        if self._told is None:
            self._take(
                self._libpq.exec_params(statement.sql, arguments, None, statement.formats, _BINARY)
            )
            return
        if statement.name not in self._told:
            self._take(self._libpq.prepare(statement.name, statement.sql))
            self._told.add(statement.name)
        run = self._libpq.exec_prepared
        self._take(run(statement.name, arguments, statement.formats, _BINARY))  # type: ignore[arg-type]  # None is NULL

    def command(self, sql: bytes) -> None:
        """Run what has no values. Raises psycopg.Error."""
        self._take(self._libpq.exec_(sql))

    def fetchone(self) -> list[bytes | None] | None:
        """The first row, or None."""
        return self._row(0) if self._result.ntuples else None

    def fetchall(self) -> list[list[bytes | None]]:
        """Every row."""
        return [self._row(number) for number in range(self._result.ntuples)]

    def _row(self, number: int) -> list[bytes | None]:
        found = self._result
        return [found.get_value(number, column) for column in range(found.nfields)]

    def _take(self, result: PGresult) -> None:
        if self._libpq.status != ConnStatus.OK:  # which libpq tells in words alone
            raise OperationalError("the connection is lost")
        if result.status not in _SUCCEEDED:
            raise error_from_result(result)
        self._result = result


def _outward(kind: Any) -> Outward:
    if isinstance(kind, JSON):
        return _json_or_null if kind.none_as_null else _json
    return _known(kind)[0]


def _inward(kind: Any) -> Inward:
    if isinstance(kind, JSON):
        return json.loads
    return _known(kind)[1]


def _known(kind: Any) -> tuple[Outward, Inward]:
    for of, ways in _KINDS.items():
        if isinstance(kind, of):
            return ways
    raise TypeError(f"nobody has told how PostgreSQL writes {kind!r}")


def _text(value: str | None) -> bytes | None:
    if value is None:
        return None
    if "\0" in value:  # libpq would end the value there, in silence
        raise ValueError("PostgreSQL keeps no NUL")
    return value.encode()


def _octets(value: bytes | None) -> bytes | None:
    return value


def _moment(value: datetime | None) -> bytes | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return value.isoformat().encode()


def _json(value: Any) -> bytes:
    return _ENCODE(value).encode()  # not orjson: it knows no integers beyond 64 bits


def _json_or_null(value: Any) -> bytes | None:
    return None if value is None else _json(value)


def _number(value: int | None) -> bytes | None:
    return None if value is None else b"%d" % value


def _to_number(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _to_moment(value: bytes) -> datetime:
    return _EPOCH + timedelta(microseconds=_to_number(value))


def _day(value: date | None) -> bytes | None:
    return None if value is None else value.isoformat().encode()


def _to_day(value: bytes) -> date:
    return _EPOCH.date() + timedelta(days=_to_number(value))


_ENCODE: Final = json.JSONEncoder().encode
_KINDS: Final[Mapping[type, tuple[Outward, Inward]]] = {
    String: (_text, bytes.decode),
    LargeBinary: (_octets, bytes),
    UtcDateTime: (_moment, _to_moment),
    Date: (_day, _to_day),
    Integer: (_number, _to_number),
}
