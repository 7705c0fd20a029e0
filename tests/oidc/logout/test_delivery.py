"""The queue and its worker: told once, tried for a day, by one worker at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from broker import jose
from broker.db import db, transaction
from broker.oidc.logout import queue
from broker.oidc.logout.models import LogoutNotice
from broker.oidc.logout.worker import deliver_next
from broker.oidc.models import ClientRow
from broker.web.work import keep_working
from tests.conftest import NOON, StoppedClock
from tests.oidc.logout.conftest import Receiver, may_knock, notices
from tests.service import Service, register
from tests.visits import entries


def add(app: Flask, client_id: str = "service") -> None:
    house = app.extensions["broker"]
    with app.app_context(), transaction() as tx:
        queue.add(tx, client_id, "somebody", "a visit", house.clock(), house.random)


def deliver(app: Flask) -> None:
    told = app.test_cli_runner().invoke(args=["work", "--once"])
    assert told.exit_code == 0, told.output


def said(app: Flask, event: str) -> list[dict[str, object]]:
    return [dict(entry["facts"]) for entry in entries(app) if entry["event"] == event]


@pytest.fixture
def listening(app: Flask, receiver: Receiver) -> Receiver:
    register(app, Service(), backchannel_logout_uri=receiver.address)
    return receiver


@pytest.mark.parametrize("status", [200, 204])
def test_a_notice_is_delivered_once_and_recorded(
    app: Flask, listening: Receiver, status: int
) -> None:
    listening.status = status
    add(app)
    deliver(app)
    deliver(app)
    [form] = listening.came
    assert set(form) == {"logout_token"}
    claims = jose.verify(
        form["logout_token"], app.extensions["broker"].keyring, "logout+jwt"
    ).claims
    assert (claims["sub"], claims["sid"], claims["aud"]) == ("somebody", "a visit", "service")
    assert notices(app) == []
    assert said(app, "logout.told") == [{"client": "service", "tries": 1}]


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_a_service_that_says_no_is_asked_again_later_with_another_token(
    app: Flask, clock: StoppedClock, listening: Receiver, status: int
) -> None:
    listening.status = status
    add(app)
    deliver(app)
    clock.forward(seconds=9)
    deliver(app)
    assert len(listening.came) == 1
    clock.forward(seconds=1)
    listening.status = 200
    deliver(app)
    first, second = (form["logout_token"] for form in listening.came)
    assert first != second
    assert said(app, "logout.told") == [{"client": "service", "tries": 2}]


def test_the_waits_double_up_to_an_hour() -> None:
    waits = [queue.PACE.wait(tries).total_seconds() for tries in (1, 2, 3, 9, 10, 1000)]
    assert waits == [10, 20, 40, 2560, 3600, 3600]


def test_after_a_day_it_is_given_up_and_the_record_says_why(
    app: Flask, clock: StoppedClock, listening: Receiver
) -> None:
    listening.status = 500
    add(app)
    while notices(app):
        deliver(app)
        if waiting := notices(app):
            clock.now = max(clock.now, waiting[0].due)
    assert NOON + timedelta(hours=23) < clock.now < NOON + timedelta(days=1)
    [facts] = said(app, "logout.refused")
    assert facts == {"client": "service", "tries": len(listening.came), "reason": "status 500"}


def test_a_service_that_does_not_answer_holds_up_nobody_else(
    app: Flask, clock: StoppedClock, listening: Receiver
) -> None:
    register(app, Service("silent"), backchannel_logout_uri="http://127.0.0.1:9/")
    for _ in range(3):
        add(app, "silent")
    clock.forward(seconds=1)
    add(app)
    deliver(app)
    assert len(listening.came) == 1
    assert sorted(n.tries for n in notices(app)) == [0, 0, 1]


@pytest.mark.parametrize(
    "address", ["https://169.254.169.254/", "https://10.0.0.1/", "http://a.test/"]
)
def test_an_address_inside_a_network_is_never_called(
    app: Flask, receiver: Receiver, address: str
) -> None:
    # A registration may have been made before the rule: the door outward is what refuses.
    register(app)
    with app.app_context(), transaction() as tx:
        row = tx.get(ClientRow, "service")
        assert row
        changed = f'"backchannel_logout_uri":"{address}"'
        row.metadata_text = row.metadata_text.replace('"backchannel_logout_uri":null', changed)
    add(app)
    deliver(app)
    assert [n.tries for n in notices(app)] == [1]


@pytest.mark.parametrize("gone", ["removed", "deaf"])
def test_a_service_that_is_gone_or_deaf_is_told_no_more(app: Flask, gone: str) -> None:
    if gone == "deaf":
        register(app)
    add(app)
    deliver(app)
    assert notices(app) == []
    assert said(app, "logout.refused") == [{"client": "service", "tries": 1, "reason": "unwanted"}]


def test_a_notice_whose_worker_died_is_taken_up_again(
    app: Flask, clock: StoppedClock, listening: Receiver
) -> None:
    add(app)
    with app.app_context(), transaction() as tx:
        assert queue.take(tx, str(queue.next_due(tx, NOON)), NOON)
    deliver(app)
    assert listening.came == []
    clock.forward(seconds=60)
    deliver(app)
    assert len(listening.came) == 1


def test_no_transaction_is_open_while_a_service_is_told(
    app: Flask, listening: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ones: list[bool] = []
    outbound = app.extensions["broker"].outbound
    post: Callable[..., int] = outbound.post

    def seen(self: object, url: str, form: dict[str, str]) -> int:
        open_ones.append(db.session().in_transaction())
        return post(url, form)

    monkeypatch.setattr(type(outbound), "post", seen)
    add(app)
    deliver(app)
    assert open_ones == [False]


def test_of_eight_workers_one_sends(disk_app: Flask, receiver: Receiver) -> None:
    may_knock(disk_app)
    register(disk_app, Service(), backchannel_logout_uri=receiver.address)
    add(disk_app)

    def work(_: int) -> None:
        with disk_app.app_context():
            deliver_next()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(receiver.came) == 1
    assert notices(disk_app) == []


def test_a_database_that_is_away_for_a_moment_does_not_end_the_worker(
    app: Flask, listening: Receiver
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.extend([seconds] if seconds else [])
        if seconds and len(pauses) == 1:
            with app.app_context():
                db.create_all()
            add(app)
        return len(pauses) > 1

    with app.app_context():
        db.drop_all()
        keep_working(pause)
    assert len(pauses) == 2
    # The service's registration was in the tables that were gone: it is told no more.
    assert said(app, "logout.refused") == [{"client": "service", "tries": 1, "reason": "unwanted"}]


def test_a_notice_is_taken_by_whoever_is_first(app: Flask) -> None:
    add(app)
    with app.app_context(), transaction() as tx:
        name = str(queue.next_due(tx, NOON))
        assert queue.take(tx, name, NOON)
        assert queue.take(tx, name, NOON) is None
        tx.execute(update(LogoutNotice).values(due=NOON))
        assert queue.take(tx, name, NOON)
