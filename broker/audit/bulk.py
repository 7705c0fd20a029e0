"""Rows by the hundred, as plain tuples: an entry through SQLAlchemy costs more than its insert.

PostgreSQL is given rows as its COPY takes them, which halves what its own process does.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute

_KINDS = {int: "int8", bytes: "bytea", str: "text"}
"""A column's type in Python → its type on PostgreSQL's wire."""


class Rows:
    """Where rows go: columns of one table that hold integers, bytes or texts."""

    def __init__(self, *columns: InstrumentedAttribute[Any]) -> None:
        """Remember the columns, in the order in which `write` is given their values."""
        names, marks = ", ".join(each.key for each in columns), ", ".join("?" * len(columns))
        place = f"{columns[0].parent.local_table} ({names})"
        self._insert = f"INSERT INTO {place} VALUES ({marks})"  # noqa: S608  names of our own
        self._copy = f"COPY {place} FROM STDIN (FORMAT BINARY)"
        self._kinds = [_KINDS[each.type.python_type] for each in columns]

    def write(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert them. Raises what SQLAlchemy raises where the database does not take them.

        What it raises says nothing of what is in the rows.
        """
        dialect, held = connection.dialect, connection.connection
        error_of_driver, cursor = dialect.loaded_dbapi.Error, held.cursor()
        try:
            with closing(cursor):
                if dialect.name == "postgresql":
                    self._copy_in(cursor, rows)
                else:
                    cursor.executemany(self._insert, rows)
        except error_of_driver as error:
            if dialect.is_disconnect(error, held.dbapi_connection, cursor):
                connection.invalidate(error)
            raise DBAPIError.instance(
                None, None, error, error_of_driver, hide_parameters=True, dialect=dialect
            ) from error

    def _copy_in(self, cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
        with cursor.copy(self._copy) as copy:
            copy.set_types(self._kinds)
            for row in rows:
                copy.write_row(row)
