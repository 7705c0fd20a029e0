"""One unit of work: all of it or nothing, moments with their zone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy.exc import InvalidRequestError, StatementError

from broker.accounts.models import Account
from broker.db import db, reading, transaction
from tests.conftest import NOON


def test_a_clean_exit_commits_and_an_exception_leaves_nothing(app: Flask) -> None:
    with app.app_context():
        with transaction() as tx:
            tx.add(Account(id="kept", created=NOON))
        with pytest.raises(RuntimeError), transaction() as tx:  # noqa: PT012  a unit of work
            tx.add(Account(id="lost", created=NOON))
            tx.flush()
            raise RuntimeError
        with reading() as tx:
            assert tx.get(Account, "kept") is not None
            assert tx.get(Account, "lost") is None


def test_a_stray_read_outside_a_block_is_found_out(app: Flask) -> None:
    with app.app_context():
        db.session.get(Account, "x")
        with pytest.raises(InvalidRequestError), transaction():
            pass


def test_a_unit_inside_another_is_refused_at_once_and_leaves_the_turn_to_others(
    disk_app: Flask,
) -> None:
    with disk_app.app_context():
        with pytest.raises(InvalidRequestError), transaction(), transaction():
            pass
        with transaction() as tx:
            tx.add(Account(id="after", created=NOON))


def test_a_moment_without_a_zone_is_refused(app: Flask) -> None:
    with app.app_context(), pytest.raises(StatementError), transaction() as tx:
        tx.add(Account(id="x", created=datetime(2026, 1, 1)))  # noqa: DTZ001  the fault itself


def test_a_moment_comes_back_in_utc(disk_app: Flask) -> None:
    rabat = timezone(timedelta(hours=1))
    with disk_app.app_context():
        with transaction() as tx:
            tx.add(Account(id="x", created=datetime(2026, 1, 1, 1, tzinfo=rabat)))
        with reading() as tx:
            row = tx.get(Account, "x")
            assert row is not None
            assert row.created == datetime(2026, 1, 1, tzinfo=UTC)
            assert row.created.tzinfo is UTC


def test_a_second_writer_waits_instead_of_failing_half_way(disk_app: Flask) -> None:
    import threading

    def add(name: str) -> None:
        with disk_app.app_context(), transaction() as tx:
            tx.get(Account, "nobody")
            tx.add(Account(id=name, created=NOON))

    threads = [threading.Thread(target=add, args=(f"a{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with disk_app.app_context(), reading() as tx:
        assert all(tx.get(Account, f"a{i}") for i in range(8))
