"""Connections: kept, replaced when the server hung up, and bare of anything before a pooler."""

import pytest
from sqlalchemy import String, bindparam, column, create_engine, select, table, text

from broker import brief
from broker.brief import NotBrief
from broker.pool import options
from broker.prepared import Prepared
from broker.settings import DatabaseSettings

_NAME = Prepared(
    select(column("datname", String))
    .select_from(table("pg_database"))
    .where(column("datname", String) == bindparam("of"))
)
_PID = text("SELECT pg_backend_pid()")


@pytest.mark.postgres
def test_a_connection_that_the_server_closed_is_replaced_before_it_is_used(
    postgres_url: str | None,
) -> None:
    assert postgres_url is not None, "PostgreSQL is not installed: deploy/system-packages.sh test"
    engine = create_engine(postgres_url, **options(postgres_url, DatabaseSettings(connections=1)))
    other = create_engine(postgres_url)
    with engine.connect() as connection:
        before = connection.scalar(_PID)
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": before})
    with engine.connect() as connection:
        assert connection.scalar(_PID) != before
    other.dispose()
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(("pooler", "prepared"), [(False, b"1"), (True, b"0")])
def test_before_a_pooler_nothing_is_prepared(
    postgres_url: str | None, pooler: bool, prepared: bytes
) -> None:
    assert postgres_url is not None, "PostgreSQL is not installed: deploy/system-packages.sh test"
    engine = create_engine(postgres_url, **options(postgres_url, DatabaseSettings(pooler=pooler)))
    with engine.connect() as connection:
        for _ in range(9):  # after five psycopg would begin
            connection.scalar(_PID)
    with brief.one(engine, pooler=pooler) as tx:
        for _ in range(2):
            _NAME.first(tx, of="postgres")
        tx.cursor.command(b"SELECT count(*) FROM pg_prepared_statements")
        kept = tx.cursor.fetchone()
    engine.dispose()
    assert kept == [prepared]


@pytest.mark.postgres
def test_a_text_is_never_cut_short_at_a_nul(postgres_url: str | None) -> None:
    assert postgres_url is not None, "PostgreSQL is not installed: deploy/system-packages.sh test"
    engine = create_engine(postgres_url, **options(postgres_url, DatabaseSettings()))
    with pytest.raises(ValueError, match="NUL"), brief.one(engine, pooler=False) as tx:
        _NAME.first(tx, of="postgres\0s")
    engine.dispose()


@pytest.mark.postgres
def test_what_is_prepared_survives_a_rollback(postgres_url: str | None) -> None:
    assert postgres_url is not None, "PostgreSQL is not installed: deploy/system-packages.sh test"
    engine = create_engine(postgres_url, **options(postgres_url, DatabaseSettings()))
    for _ in range(2):
        with pytest.raises(NotBrief), brief.one(engine, pooler=False) as tx:
            _NAME.first(tx, of="postgres")._replace(datname=tx.connection())
        with engine.connect() as connection:
            connection.scalar(_PID)
            connection.rollback()
    engine.dispose()


def test_a_database_in_memory_has_one_connection() -> None:
    assert options("sqlite://", DatabaseSettings()) == {}
