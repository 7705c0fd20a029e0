from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from broker.app import create_app
from broker.authentication import buckets, limits
from broker.authentication.buckets import ALLOWANCES, Level, Memory
from broker.db import db
from broker.settings import Settings
from broker.web.tools import Tools
from tests.authentication.test_recovery import make, use
from tests.authentication.test_sign_in import recorded
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.people import answer, ceremony, enrol, new_key, sign_in, visit

BROWSER = ("browser", b"b")
SECOND = timedelta(seconds=1)


def _fill(store: Memory, tries: int) -> timedelta:
    waits = [store.charge([BROWSER], NOON) for _ in range(tries)]
    return waits[-1]


# The buckets


def test_some_tries_are_free_and_then_waiting_doubles() -> None:
    store, now, waits = Memory(), NOON, []
    assert _fill(store, ALLOWANCES["browser"].free) == timedelta(0)
    for _ in range(4):
        waits.append(store.charge([BROWSER], now))
        now += waits[-1]
        assert store.charge([BROWSER], now) == timedelta(0)
    assert waits == [2 * SECOND, 4 * SECOND, 8 * SECOND, 16 * SECOND]


def test_trying_while_one_must_wait_prolongs_nothing() -> None:
    store = Memory()
    assert _fill(store, 11) == _fill(store, 50) == 2 * SECOND


@given(st.integers(0, 10_000), st.sampled_from(sorted(ALLOWANCES)))
def test_no_wait_is_longer_than_the_longest(tries: int, kind: str) -> None:
    allowance = ALLOWANCES[kind]
    assert buckets.wait(Level(tries, NOON), allowance, NOON) <= allowance.longest


@given(st.integers(0, 10_000), st.sampled_from(sorted(ALLOWANCES)))
def test_everything_is_forgotten_in_time(tries: int, kind: str) -> None:
    allowance = ALLOWANCES[kind]
    later = NOON + allowance.leak * tries
    assert buckets.leaked(Level(tries, NOON), allowance, later) == 0
    assert buckets.wait(Level(tries, NOON), allowance, later) <= timedelta(0)


def test_a_good_try_does_not_count() -> None:
    store = Memory()
    for _ in range(100):
        assert store.charge([BROWSER], NOON) == timedelta(0)
        store.refund([BROWSER], NOON)


def test_one_full_bucket_keeps_the_others_as_they_were() -> None:
    store, other = Memory(), ("browser", b"c")
    _fill(store, 11)
    assert [store.charge([BROWSER, other], NOON) for _ in range(20)][-1] == 2 * SECOND
    assert store.charge([other], NOON) == timedelta(0)
    assert store.charge([("everyone", b"")], NOON) == timedelta(0)


def test_memory_is_bounded() -> None:
    store = Memory(most=100)
    for i in range(1000):
        store.charge([("browser", i.to_bytes(4, "big"))], NOON)
    assert len(store) <= 101


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("196.200.131.7", "196.200.131.0/24"),
        ("::ffff:196.200.131.9", "196.200.131.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", "unknown"),
        (None, "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_neighbours_share_a_prefix(address: str | None, prefix: str) -> None:
    assert limits.network(address) == prefix


# The doors


def _fail(client: FlaskClient, **headers: str) -> int:
    form = ceremony(client.get("/sign-in/account", base_url=ISSUER, headers=headers))
    data = {**form.fields, "credential": "{}"}
    return client.post(form.action, data=data, base_url=ISSUER, headers=headers).status_code


def test_a_browser_that_fails_often_must_wait_and_is_told_how_long(
    client: FlaskClient, clock: StoppedClock
) -> None:
    key = enrol(client)
    client.delete_cookie("__Host-miftah_session", domain="broker.test")
    assert [_fail(client) for _ in range(11)] == [422] * 10 + [429]
    form = ceremony(visit(client, "/sign-in/account?ui_locales=fr"))
    response = answer(client, form, key.get(form.options))
    assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
    assert "De nombreux essais" in response.text
    clock.forward(seconds=2)
    sign_in(client, key)


def test_what_must_wait_spends_no_challenge_and_fills_no_record(
    app: Flask, client: FlaskClient
) -> None:
    for _ in range(20):
        _fail(client)
    assert len(recorded(app, "sign_in.refused")) == 10


def test_recovery_codes_are_not_guessed_by_the_thousand(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    code = make(client)[0]
    guesser = app.test_client()
    statuses = [use(guesser, f"{n:012}").status_code for n in range(12)]
    assert statuses == [422] * 10 + [429] * 2
    assert use(guesser, code).status_code == 429
    assert use(app.test_client(), code).status_code == 303


def test_a_network_that_forgets_its_cookies_is_counted_all_the_same(app: Flask) -> None:
    statuses = [_fail(app.test_client()) for _ in range(101)]
    assert statuses == [422] * 100 + [429]


def test_accounts_are_not_made_by_the_thousand(app: Flask, client: FlaskClient) -> None:
    def make_account() -> int:
        form = ceremony(visit(client, "/enrol/account"))
        status = answer(client, form, new_key().create(form.options)).status_code
        client.delete_cookie("__Host-miftah_session", domain="broker.test")
        return status

    assert [make_account() for _ in range(11)] == [303] * 10 + [429]


def test_one_person_is_counted_in_whatever_browser(app: Flask) -> None:
    key, statuses = enrol(app.test_client()), []
    for _ in range(11):
        browser = app.test_client()
        sign_in(browser, key)
        form = ceremony(visit(browser, "/sign-in/account?again=1"))
        statuses.append(answer(browser, form, "{}").status_code)
    assert statuses == [422] * 10 + [429]


@pytest.fixture
def proxied(tools: Tools) -> Iterator[Flask]:
    """The application behind one proxy."""
    settings = Settings(issuer=ISSUER, database_url="sqlite://", trusted_proxies=1)
    app = create_app(replace(tools, settings=settings))
    app.testing = True
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _one_each(app: Flask) -> int:
    """The last answer, where every one of 101 browsers says it is of another network."""
    said = ({"X-Forwarded-For": f"10.{n}.1.1", "X-Forwarded-Proto": "https"} for n in range(101))
    return [_fail(app.test_client(), **headers) for headers in said][-1]


def test_the_address_that_the_proxy_says_is_counted(proxied: Flask) -> None:
    assert _one_each(proxied) == 422


def test_without_a_proxy_nobody_chooses_their_address(app: Flask) -> None:
    assert _one_each(app) == 429


# Bodies


@pytest.mark.parametrize("path", ["/sign-in/account", "/enrol/account", "/recovery/account"])
def test_a_body_over_64_kib_is_not_looked_at(app: Flask, client: FlaskClient, path: str) -> None:
    token = ceremony(visit(client, "/sign-in/account")).fields["csrf_token"]
    data = {"csrf_token": token, "other": "x" * 64 * 1024}
    assert client.post(path, data=data, base_url=ISSUER).status_code == 413
    assert recorded(app, "sign_in.refused") == []
