"""A row that only one may write: of two at once, one hears yes."""

from importlib import import_module
from typing import Any

from sqlalchemy import literal_column
from sqlalchemy.orm import Session


def wrote(tx: Session, table: type, **row: Any) -> bool:
    """Insert the row, unless one with its key is there; whether it was inserted now.

    A transaction that inserted the same and has not ended is waited for.
    """
    # Both databases spell it alike, but SQLAlchemy has it only in the insert of each dialect.
    dialect = import_module(f"sqlalchemy.dialects.{tx.get_bind().dialect.name}")
    statement = dialect.insert(table).values(row).on_conflict_do_nothing()
    return tx.execute(statement.returning(literal_column("1"))).first() is not None
