"""How long entries wait, and whether the record is what was signed."""

from datetime import timedelta

import pytest
from flask import Flask

from broker.audit import checkpoint, health
from broker.audit.log import record
from broker.db import reading, transaction
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)


def append(app: Flask, after: timedelta) -> None:
    with app.app_context(), transaction() as tx:
        record(tx, "session.ended", {}, NOON + after)


def sign(app: Flask, after: timedelta) -> None:
    with app.app_context(), transaction() as tx:
        checkpoint.latest(tx, NOON + after)


def lag(app: Flask, after: timedelta) -> timedelta:
    with app.app_context(), reading() as tx:
        return health.lag(tx, NOON + after)


def test_an_empty_record_does_not_lag(app: Flask) -> None:
    assert lag(app, MINUTE) == timedelta(0)


def test_it_lags_by_the_oldest_entry_that_no_checkpoint_covers(app: Flask) -> None:
    append(app, timedelta(0))
    append(app, timedelta(seconds=20))
    assert lag(app, MINUTE) == MINUTE
    sign(app, timedelta(seconds=30))
    assert lag(app, MINUTE) == timedelta(0)
    append(app, timedelta(seconds=40))
    append(app, timedelta(seconds=50))
    assert lag(app, MINUTE) == timedelta(seconds=20)


def test_a_clock_that_was_set_back_makes_no_negative_lag(app: Flask) -> None:
    append(app, MINUTE)
    assert lag(app, timedelta(0)) == timedelta(0)


def test_the_age_of_the_newest_checkpoint_is_told_and_none_where_there_is_none(app: Flask) -> None:
    append(app, timedelta(0))
    assert "broker_record_checkpoint_age_seconds" not in gauges(app)
    sign(app, timedelta(0))
    assert gauges(app)["broker_record_checkpoint_age_seconds"] == 60
    assert gauges(app)["broker_record_entries"] == 1


def gauges(app: Flask) -> dict[str, float]:
    with app.app_context(), reading() as tx:
        return {measure.name: value for measure, _, value in health.gauges(tx, NOON + MINUTE)}


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257])
def test_a_record_of_any_size_is_sound(app: Flask, size: int) -> None:
    with app.app_context():
        with transaction() as tx:
            for _ in range(size):
                record(tx, "session.ended", {}, NOON)
            if size:
                checkpoint.latest(tx, NOON)
        with reading() as tx:
            assert health.is_sound(tx, NOON)
