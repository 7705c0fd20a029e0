"""Statements that skip SQLAlchemy's way to the driver mean what all others mean."""

from datetime import timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from broker.accounts.models import Account
from broker.consent.models import Consent
from broker.db import reading, transaction
from broker.prepared import Prepared
from tests.conftest import NOON

ADD = Prepared(insert(Account))
FIND = Prepared(select(Account.id, Account.created).where(Account.id == bindparam("of")))
EVERY = Prepared(select(Account.id).order_by(Account.id))
AGREE = Prepared(insert(Consent))
AGREED = Prepared(select(Consent.scope, Consent.client_name).where(Consent.client_id == "service"))
MOVE = Prepared(
    update(Account)
    .where(Account.id == bindparam("of"))
    .values(created=bindparam("now"))
    .returning(Account.id)
)
REMOVE = Prepared(delete(Account).where(Account.id == bindparam("of")))


def test_a_row_comes_back_by_its_columns_in_the_types_of_the_table(disk_app: Flask) -> None:
    rabat = timezone(timedelta(hours=1))
    with disk_app.app_context():
        with transaction() as tx:
            ADD.run(tx, id="x", created=NOON.astimezone(rabat))
            AGREE.run(
                tx,
                account_id="x",
                client_id="service",
                client_name={"ar": "خدمة"},
                scope=["openid"],
                claims=[],
                details=[],
                at=NOON,
            )
        with reading() as tx:
            assert FIND.first(tx, of="x") == ("x", NOON)
            assert FIND.first(tx, of="x").created.tzinfo == NOON.tzinfo
            assert FIND.first(tx, of="y") is None
            agreed = AGREED.first(tx)  # its condition holds a value of its own
            assert (agreed.scope, agreed.client_name) == (["openid"], {"ar": "خدمة"})


def test_what_was_added_before_is_seen_and_what_returns_something_tells_it(app: Flask) -> None:
    with app.app_context(), transaction() as tx:
        tx.add(Account(id="b", created=NOON))
        ADD.run(tx, id="a", created=NOON)
        assert [row.id for row in EVERY.all(tx)] == ["a", "b"]
        assert MOVE.first(tx, of="a", now=NOON + timedelta(days=1)) == ("a",)
        assert MOVE.first(tx, of="c", now=NOON) is None
        REMOVE.run(tx, of="a")
        assert [row.id for row in EVERY.all(tx)] == ["b"]


def test_it_stands_or_falls_with_its_transaction(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(RuntimeError), transaction() as tx:  # noqa: PT012  a unit of work
            ADD.run(tx, id="lost", created=NOON)
            raise RuntimeError
        with reading() as tx:
            assert FIND.first(tx, of="lost") is None


def test_a_refusal_of_the_database_is_the_usual_error_and_repeats_no_value(disk_app: Flask) -> None:
    with disk_app.app_context(), transaction() as tx:
        ADD.run(tx, id="twice", created=NOON)
    with disk_app.app_context(), pytest.raises(IntegrityError) as caught, transaction() as tx:
        ADD.run(tx, id="twice", created=NOON)
    assert caught.value.params is None


def test_a_moment_without_a_zone_is_refused(app: Flask) -> None:
    with app.app_context(), pytest.raises(ValueError, match="time zone"), transaction() as tx:
        ADD.run(tx, id="x", created=NOON.replace(tzinfo=None))
