"""Whoever ends a session tells the other rooms in the same breath; a visit keeps its name."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session as Tx

from broker.accounts import session, store
from broker.accounts.models import Session
from broker.db import transaction
from broker.feature import Feature
from broker.web.tools import Tools
from tests.accounts.conftest import press, rows
from tests.conftest import ISSUER, NOON
from tests.people import add_key, enrol, new_key, sign_in, visit

Told = list[tuple[str, str | None]]


@pytest.fixture
def told(app: Flask) -> Iterator[Told]:
    """Every sign-out that a room heard of: account and session."""
    heard: Told = []

    def hear(_tx: Tx, account_id: str, session_id: str | None) -> tuple[dict[str, str], ...]:
        heard.append((account_id, session_id))
        return ({"en": "Somebody"},)

    tools: Tools = app.extensions["broker"]
    feature = Feature("listener", signed_out=hear)
    app.extensions["broker"] = replace(tools, features=(*tools.features, feature))
    yield heard
    app.extensions["broker"] = tools


def test_a_sign_out_is_told_by_its_session(app: Flask, client: FlaskClient, told: Told) -> None:
    enrol(client)
    [held] = rows(app, Session)
    press(client, "/account", "/account/sign-out")
    assert told == [(held.account_id, held.id)]


def test_a_sign_out_everywhere_is_told_once_for_all(
    app: Flask, client: FlaskClient, told: Told
) -> None:
    key = enrol(client)
    sign_in(app.test_client(), key)
    account = rows(app, Session)[0].account_id
    press(client, "/account", "/account/sign-out-everywhere")
    assert told == [(account, None)]


def test_an_erasure_is_told_before_anything_is_forgotten(
    app: Flask, client: FlaskClient, told: Told
) -> None:
    enrol(client)
    account = rows(app, Session)[0].account_id
    press(client, "/account/erase", "/account/erase")
    assert told[0] == (account, None)


def test_removing_a_key_signs_out_the_other_browsers_one_by_one(
    app: Flask, client: FlaskClient, told: Told
) -> None:
    key = enrol(client)
    add_key(client, new_key())
    sign_in(app.test_client(), key)
    mine, other = rows(app, Session)
    page = visit(client, "/account").text
    path = page.split('href="/keys/')[1].split("/")[0]
    press(client, f"/keys/{path}/removal", f"/keys/{path}/removal")
    assert told == [(other.account_id, other.id)]
    assert [one.id for one in rows(app, Session)] == [mine.id]


def test_the_same_person_signing_in_again_goes_on_with_the_same_visit(
    app: Flask, client: FlaskClient, told: Told
) -> None:
    key = enrol(client)
    [before] = rows(app, Session)
    sign_in(client, key, query="?again=1")
    [after] = rows(app, Session)
    assert (after.id, told) == (before.id, [])
    assert after.secret != before.secret


def test_another_person_signing_in_signs_the_first_one_out(
    app: Flask, client: FlaskClient, told: Told
) -> None:
    enrol(client)
    [first] = rows(app, Session)
    cookie = client.get_cookie("__Host-miftah_session", domain="broker.test")
    assert cookie
    house: Tools = app.extensions["broker"]
    held = {"Cookie": f"__Host-miftah_session={cookie.value}"}
    with app.test_request_context(base_url=ISSUER, headers=held), transaction() as tx:
        other = store.create(tx, house.keyring.wrapping, NOON, house.random)
        session.begin(tx, other, "passkey_synced", NOON, house.random)
    assert told == [(first.account_id, first.id)]
    assert [one.account_id for one in rows(app, Session)] == [other]
