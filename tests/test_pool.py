"""Connections: kept, replaced when the server hung up, and bare of anything before a pooler."""

import pytest
from sqlalchemy import create_engine, text

from broker.pool import options
from broker.settings import DatabaseSettings

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
@pytest.mark.parametrize(("pooler", "prepared"), [(False, True), (True, False)])
def test_before_a_pooler_nothing_is_prepared(
    postgres_url: str | None, pooler: bool, prepared: bool
) -> None:
    assert postgres_url is not None, "PostgreSQL is not installed: deploy/system-packages.sh test"
    engine = create_engine(postgres_url, **options(postgres_url, DatabaseSettings(pooler=pooler)))
    with engine.connect() as connection:
        for _ in range(9):
            connection.scalar(_PID)
        kept = connection.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
    assert bool(kept) is prepared
    engine.dispose()


def test_a_database_in_memory_has_one_connection() -> None:
    assert options("sqlite://", DatabaseSettings()) == {}
