"""A browser's signed-in state."""

from datetime import timedelta

import pytest
from flask import Flask

from broker import entropy
from broker.accounts import session, store
from broker.accounts.models import Session
from broker.db import db, transaction
from broker.settings import AuthenticationSettings
from broker.web import cookies
from broker.web.tools import Tools
from tests.accounts.conftest import rows
from tests.conftest import ISSUER, NOON

SETTINGS = AuthenticationSettings()
SECOND = timedelta(seconds=1)


@pytest.fixture
def account(app: Flask, tools: Tools) -> str:
    with app.app_context(), transaction() as tx:
        return store.create(tx, tools.keyring.wrapping, NOON, tools.random)


@pytest.fixture
def secret(app: Flask, tools: Tools, account: str) -> str:
    with app.test_request_context("/", base_url=ISSUER), transaction() as tx:
        return session.begin(tx, account, "passkey_synced", NOON, tools.random)


def who(app: Flask, secret: str | None, later: timedelta = timedelta(0)) -> str | None:
    with app.app_context(), transaction() as tx:
        found = session.find(tx, secret, NOON + later, SETTINGS)
        return found.account_id if found else None


def test_the_cookie_s_secret_finds_its_person(app: Flask, secret: str, account: str) -> None:
    assert who(app, secret) == account


@pytest.mark.parametrize("wrong", [None, "", "x", "A" * 43, "é", "\x00" * 9000])
def test_another_secret_finds_nobody(app: Flask, secret: str, wrong: str | None) -> None:
    assert wrong != secret
    assert who(app, wrong) is None


def test_the_secret_itself_is_not_stored(app: Flask, secret: str) -> None:
    [row] = rows(app, Session)
    assert row.secret == cookies.digest(secret)
    assert secret not in map(str, vars(row).values())


@pytest.mark.parametrize(
    ("later", "is_found"),
    [(SETTINGS.session_idle - SECOND, True), (SETTINGS.session_idle, False)],
)
def test_a_session_sleeps_in_when_idle(
    app: Flask, secret: str, later: timedelta, *, is_found: bool
) -> None:
    assert (who(app, secret, later) is not None) is is_found


def test_using_it_keeps_it_but_never_beyond_its_lifetime(app: Flask, secret: str) -> None:
    last = SETTINGS.session_lifetime - SECOND
    with app.app_context(), transaction() as tx:
        for row in tx.query(Session):
            session.touch(tx, row.id, NOON + last)
    assert who(app, secret, last) is not None
    assert who(app, secret, SETTINGS.session_lifetime) is None


def test_signing_in_ends_the_session_that_this_browser_held(
    app: Flask, tools: Tools, account: str, secret: str
) -> None:
    cookie = f"__Host-miftah_session={secret}"
    with (
        app.test_request_context("/", base_url=ISSUER, headers={"Cookie": cookie}),
        transaction() as tx,
    ):
        fresh = session.begin(tx, account, "passkey_synced", NOON, tools.random)
    assert fresh != secret
    assert who(app, secret) is None
    assert who(app, fresh) == account


def test_ending_all_sessions_tells_how_many_there_were(
    app: Flask, tools: Tools, account: str, secret: str
) -> None:
    assert secret
    with app.test_request_context("/", base_url=ISSUER), transaction() as tx:
        session.begin(tx, account, "passkey_synced", NOON, tools.random)
        assert session.end_all(tx, account) == 2
        assert session.end_all(tx, account) == 0


def test_touching_a_session_that_is_gone_is_no_error(app: Flask) -> None:
    with app.app_context(), transaction() as tx:
        session.touch(tx, "gone", NOON)


def test_secrets_are_256_bits(app: Flask, tools: Tools, account: str) -> None:
    asked: list[int] = []

    def draw(size: int) -> bytes:
        asked.append(size)
        return tools.random(size)

    with app.test_request_context("/", base_url=ISSUER), transaction() as tx:
        session.begin(tx, account, "passkey_synced", NOON, draw)
    assert asked == [32, 32]
    assert len(entropy.token(entropy.system)) == 43
    with app.app_context():
        db.session.remove()
