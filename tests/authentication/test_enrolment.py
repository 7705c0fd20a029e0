from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from broker.accounts.models import Account, Session
from broker.authentication import store
from broker.authentication.models import Authenticator
from broker.db import reading
from tests.authentication.authenticator import SoftAuthenticator, unb64
from tests.authentication.test_sign_in import COOKIE, count, park, recorded, session_of
from tests.conftest import StoppedClock
from tests.people import add_key, answer, ceremony, enrol, new_key, sign_in, visit


def _refused(client: FlaskClient, key: SoftAuthenticator) -> str:
    form = ceremony(visit(client, "/enrol/account"))
    response = answer(client, form, key.create(form.options))
    assert response.status_code == 422
    return response.text


def _keys(app: Flask) -> list[Authenticator]:
    with app.app_context(), reading() as tx:
        found = list(tx.scalars(select(Authenticator)).all())
        tx.expunge_all()
        return found


# The first key


def test_the_first_key_makes_the_account_and_signs_the_person_in(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    assert (count(app, Account), count(app, Authenticator), count(app, Session)) == (1, 1, 1)
    assert visit(client, "/account").status_code == 200
    (enrolled,) = recorded(app, "key.enrolled")
    assert enrolled.keys() == {"account", "key", "authenticator", "synced"}
    assert len(recorded(app, "account.created")) == 1


def test_what_the_authenticator_learns_of_a_person_is_random(client: FlaskClient) -> None:
    user = ceremony(visit(client, "/enrol/account?ui_locales=fr")).options["user"]
    assert len(unb64(user["id"])) == 32
    assert user["name"] == user["displayName"] == "Miftah, 23 novembre 2026"


def test_the_credential_record_is_whole(app: Flask, client: FlaskClient) -> None:
    key = enrol(client, authenticator=new_key(synced=True))
    (row,) = _keys(app)
    assert row.credential_id == key.credentials[0].credential_id
    assert row.user_handle == key.credentials[0].user_handle
    assert row.transports == ["hybrid", "internal"]
    assert (row.backup_eligible, row.backed_up) == (True, True)
    assert b"webauthn.create" in row.client_data
    assert b"authData" in row.attestation_object
    assert row.account_id.encode() not in row.user_handle


def test_after_the_first_key_a_second_one_is_recommended_and_may_wait(
    app: Flask, client: FlaskClient
) -> None:
    handle = park(app, client)
    enrol(client, handle)
    page = visit(client, f"/enrol/{handle}/second")
    assert page.status_code == 200
    assert f'href="/authorize/{handle}"' in page.text
    assert add_key(client, new_key(), handle).location == f"/authorize/{handle}"


def test_the_second_key_may_not_be_the_first(client: FlaskClient) -> None:
    key = enrol(client)
    options = ceremony(visit(client, "/enrol/account/second")).options
    assert [unb64(k["id"]) for k in options["excludeCredentials"]] == [
        key.credentials[0].credential_id
    ]


def test_nobody_is_recommended_a_second_key_before_a_first(client: FlaskClient) -> None:
    assert visit(client, "/enrol/account/second").location == "/enrol/account"


# Further keys


def test_a_further_key_joins_the_account_and_opens_it(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    second = new_key(algorithm=-8)
    before = session_of(client)
    assert add_key(client, second).location == "/account"
    assert count(app, Account) == 1
    assert session_of(client) == before
    assert len({row.user_handle for row in _keys(app)}) == 1
    assert sign_in(app.test_client(), second).location == "/account"


@pytest.mark.parametrize("path", ["/enrol/account", "/enrol/account/second"])
def test_adding_a_key_needs_a_recent_sign_in(
    client: FlaskClient, clock: StoppedClock, path: str
) -> None:
    enrol(client)
    clock.forward(minutes=4, seconds=59)
    form = ceremony(visit(client, path))
    clock.forward(seconds=1)
    assert visit(client, path).location == "/sign-in/account?again=1"
    response = answer(client, form, new_key().create(form.options))
    assert response.status_code == 403


def test_a_key_that_is_known_is_refused_whoever_brings_it(app: Flask, client: FlaskClient) -> None:
    key = enrol(client)
    known = key.credentials[0].credential_id
    _refused(app.test_client(), new_key().with_wrong(credential_id=known))
    _refused(client, new_key().with_wrong(credential_id=known))
    assert (count(app, Account), count(app, Authenticator)) == (1, 1)
    assert [r["reason"] for r in recorded(app, "sign_in.refused")] == ["key_known"] * 2


def test_a_key_enrolled_elsewhere_in_the_same_moment_is_refused(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = enrol(client)
    monkeypatch.setattr(store, "find", lambda *_: None)
    known = key.credentials[0].credential_id
    _refused(app.test_client(), new_key().with_wrong(credential_id=known))
    assert (count(app, Account), count(app, Authenticator)) == (1, 1)
    assert len(recorded(app, "account.created")) == 1


def test_a_question_put_to_nobody_is_not_answered_by_somebody(
    app: Flask, client: FlaskClient
) -> None:
    key = enrol(client)
    browser = app.test_client()
    form = ceremony(visit(browser, "/enrol/account"))
    sign_in(browser, key)
    response = answer(browser, form, new_key().create(form.options))
    assert response.status_code == 422
    assert recorded(app, "sign_in.refused")[0]["reason"] == "another_account"
    assert count(app, Authenticator) == 1


def test_a_question_put_to_somebody_is_not_answered_by_nobody(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    form = ceremony(visit(client, "/enrol/account"))
    client.delete_cookie(COOKIE, domain="broker.test")
    response = answer(client, form, new_key().create(form.options))
    assert response.status_code == 422
    assert count(app, Account) == 1


# Refused


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"origin": "https://evil.example"}, "origin"),
        ({"flags": lambda f: f & ~0x04}, "user_not_verified"),
        ({"cred_props": {"rk": False}}, "not_discoverable"),
        ({"aaguid": bytes(15)}, "library:InvalidRegistrationResponse"),
    ],
)
def test_a_refused_enrolment_makes_nothing_but_its_record(
    app: Flask, client: FlaskClient, wrong: dict[str, Any], reason: str
) -> None:
    _refused(client, new_key().with_wrong(**wrong))
    assert (count(app, Account), count(app, Authenticator), count(app, Session)) == (0, 0, 0)
    (refusal,) = recorded(app, "sign_in.refused")
    assert refusal == {"ceremony": "enrol", "reason": reason}


def test_an_enrolment_counts_once(app: Flask, client: FlaskClient) -> None:
    form = ceremony(visit(client, "/enrol/account"))
    credential = new_key().create(form.options)
    assert answer(client, form, credential).status_code == 303
    client.delete_cookie(COOKIE, domain="broker.test")
    assert answer(client, form, credential).status_code == 422
    assert count(app, Account) == 1


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("path", ["/enrol/account", "/sign-in/account"])
def test_a_page_is_small(client: FlaskClient, path: str, language: str) -> None:
    page = visit(client, f"{path}?ui_locales={language}")
    assert len(page.data) < 12_000
