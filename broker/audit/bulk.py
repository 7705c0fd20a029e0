"""Rows by the hundred, as plain tuples: an entry through SQLAlchemy costs more than its insert.

PostgreSQL is given rows as its COPY takes them, which halves what its own process does.
"""

from collections.abc import Sequence
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
        """Insert them. Raises what SQLAlchemy raises where the database does not take them."""
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            self._copy_in(connection, rows)
        else:
            connection.exec_driver_sql(self._insert, list(rows))

    def _copy_in(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        cursor: Any = connection.connection.cursor()
        driver = connection.dialect.loaded_dbapi
        try:
            with cursor, cursor.copy(self._copy) as copy:
                copy.set_types(self._kinds)
                for row in rows:
                    copy.write_row(row)
        except driver.Error as error:
            if cursor.connection.closed:
                connection.invalidate(error)
            # As SQLAlchemy tells errors of statements that it runs; never with what was in a row.
            raise DBAPIError.instance(
                self._copy, None, error, driver.Error, hide_parameters=True
            ) from error
