"""Many rows at once: all that was given, and errors as of any other statement."""

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from broker.audit.bulk import Rows
from broker.audit.models import AuditSubject
from broker.db import db, reading, transaction

LINKS = Rows(AuditSubject.idx, AuditSubject.account_id, AuditSubject.salt, AuditSubject.subject)
ROWS = [
    (0, "one", b"\x00\xff\\x", None),
    (2**40, "tab\tnew\nline\\ \u0645\u0641\u062a\u0627\u062d", b"", "s" * 255),
]


def test_what_is_written_is_what_is_read(disk_app: Flask) -> None:
    with disk_app.app_context():
        with transaction() as tx:
            LINKS.write(tx.connection(), ROWS)
            LINKS.write(tx.connection(), [])
        with reading() as tx:
            columns = AuditSubject.__table__.columns
            found = tx.execute(select(*columns).order_by(AuditSubject.idx)).all()
    order = [column.key for column in columns]
    assert order == ["idx", "account_id", "salt", "subject"]
    assert [tuple(row) for row in found] == ROWS


def test_rows_that_are_refused_raise_as_every_statement_does(disk_app: Flask) -> None:
    with disk_app.app_context():
        with pytest.raises(IntegrityError) as refused, transaction() as tx:
            LINKS.write(tx.connection(), [*ROWS, (0, "somebody", b"", None)])
        with reading() as tx:
            assert tx.scalar(select(AuditSubject.idx)) is None
    assert isinstance(refused.value, DBAPIError)
    assert "somebody" not in str(refused.value)


def left_alone(tx: Session) -> Connection:
    """The connection of the transaction, whose other end has just been ended."""
    own = tx.scalar(text("SELECT pg_backend_pid()"))
    with db.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})
    return tx.connection()


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_a_database_that_goes_away_meanwhile_is_told_as_such(disk_app: Flask) -> None:
    with disk_app.app_context():
        with pytest.raises(OperationalError), transaction() as tx:
            LINKS.write(left_alone(tx), ROWS)
        with transaction() as tx:
            LINKS.write(tx.connection(), ROWS)
