"""Whom a sign-out concerns, what becomes of what was minted, and what the token says."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker import jose
from broker.db import transaction
from broker.oidc.logout import queue, telling
from tests.conftest import ISSUER, NOON
from tests.oidc.logout.conftest import BACKCHANNEL, notices, sessions
from tests.people import forms, visit
from tests.service import Person, Service, agree, register, settle

SIGN_OUT, EVERYWHERE, ERASE = (
    "/account/sign-out",
    "/account/sign-out-everywhere",
    "/account/erase",
)


def press(client: FlaskClient, action: str) -> None:
    """The person presses the button of the account's pages that goes to `action`."""
    page = client.get("/account/erase" if action == ERASE else "/account")
    form = next(form for form in forms(page.text) if form.action == action)
    assert client.post(action, data=form.fields).status_code == 303


def still_good(client: FlaskClient, tokens: dict[str, Any]) -> bool:
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    return client.get("/userinfo", headers=bearer).status_code == 200


def may_refresh(client: FlaskClient, service: Service, tokens: dict[str, Any]) -> bool:
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return client.post("/token", data=form, headers=service.basic()).status_code == 200


def claims_of(app: Flask, token: str, typ: str = "JWT") -> dict[str, Any]:
    return dict(jose.verify(token, app.extensions["broker"].keyring, typ).claims)


def test_signing_out_on_the_account_page_is_told_to_the_services_of_this_visit(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    said = claims_of(app, service.tokens(client)["id_token"])
    elsewhere = app.test_client()
    settle(app, elsewhere, account=person.account_id)
    service.tokens(elsewhere)
    press(client, SIGN_OUT)
    assert [(n.subject, n.sid) for n in notices(app)] == [(said["sub"], said["sid"])]


def test_a_service_that_was_not_used_in_this_visit_hears_nothing(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    press(client, SIGN_OUT)
    assert notices(app) == []


def test_a_service_without_a_back_channel_is_not_told(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    deaf = register(app, Service("deaf"))
    agree(app, person, ("openid",), "deaf")
    deaf.tokens(client)
    press(client, SIGN_OUT)
    assert notices(app) == []


def test_one_visit_is_told_once_however_many_codes_it_was_sent(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    service.tokens(client)
    service.tokens(client)
    press(client, SIGN_OUT)
    assert len(notices(app)) == 1


def test_signing_out_everywhere_names_the_person_and_no_single_visit(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    said = claims_of(app, service.tokens(client)["id_token"])
    press(client, EVERYWHERE)
    assert [(n.subject, n.sid) for n in notices(app)] == [(said["sub"], None)]


def test_signing_out_everywhere_reaches_a_service_that_only_an_agreement_remembers(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    press(client, EVERYWHERE)
    [notice] = notices(app)
    settle(app, client, account=person.account_id)
    assert notice.subject == claims_of(app, service.tokens(client)["id_token"])["sub"]


def test_a_service_that_needs_the_name_of_a_visit_is_told_every_one(
    app: Flask, client: FlaskClient
) -> None:
    service = register(
        app, backchannel_logout_uri=BACKCHANNEL, backchannel_logout_session_required=True
    )
    person = settle(app, client, agreed=("openid",))
    elsewhere = app.test_client()
    settle(app, elsewhere, account=person.account_id)
    visits = {claims_of(app, service.tokens(c)["id_token"])["sid"] for c in (client, elsewhere)}
    press(client, EVERYWHERE)
    assert {n.sid for n in notices(app)} == visits
    assert len(visits) == 2


def test_erasing_the_account_is_told_and_the_notice_does_not_name_the_account(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    service.tokens(client)
    press(client, ERASE)
    [notice] = notices(app)
    assert person.account_id not in {notice.id, notice.subject, notice.sid}
    assert sessions(app) == []


def test_if_the_sign_out_fails_nobody_is_told(
    app: Flask,
    client: FlaskClient,
    service: Service,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service.tokens(client)

    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr("broker.accounts.routes.record", fail)
    with pytest.raises(RuntimeError):
        press(client, EVERYWHERE)
    assert notices(app) == []
    assert sessions(app) == [person.account_id]


# Grants


def test_signing_out_ends_what_was_minted_for_this_visit_but_not_what_is_for_offline_use(
    client: FlaskClient, service: Service, person: Person
) -> None:
    online, offline = service.tokens(client), service.tokens(client, scope="openid offline_access")
    press(client, SIGN_OUT)
    assert not still_good(client, online)
    assert still_good(client, offline)
    assert may_refresh(client, service, offline)


def test_signing_out_leaves_what_was_minted_for_another_visit(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    elsewhere = app.test_client()
    settle(app, elsewhere, account=person.account_id)
    tokens = service.tokens(elsewhere)
    press(client, SIGN_OUT)
    assert still_good(client, tokens)


def test_signing_out_everywhere_ends_what_is_for_offline_use_too(
    client: FlaskClient, service: Service, person: Person
) -> None:
    offline = service.tokens(client, scope="openid offline_access")
    press(client, EVERYWHERE)
    assert not still_good(client, offline)
    assert not may_refresh(client, service, offline)


# The token


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_a_logout_token_says_what_back_channel_logout_asks_and_never_a_nonce(
    app: Flask, client: FlaskClient, alg: str
) -> None:
    service = register(app, backchannel_logout_uri=BACKCHANNEL, id_token_signed_response_alg=alg)
    settle(app, client, agreed=("openid",))
    said = claims_of(app, service.tokens(client)["id_token"])
    press(client, SIGN_OUT)
    house = app.extensions["broker"]
    with app.app_context(), transaction() as tx:
        notice = queue.take(tx, str(queue.next_due(tx, NOON)), NOON)
        assert notice
        made = telling.address(tx, notice, house, NOON)
    assert made
    assert made.address == BACKCHANNEL
    signed = jose.verify(made.token, house.keyring, "logout+jwt")
    assert signed.header["alg"] == alg
    claims = dict(signed.claims)
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "aud": "service",
        "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 120,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        "sub": said["sub"],
        "sid": said["sid"],
    }


def test_the_page_of_somebody_who_left_shows_no_account(
    client: FlaskClient, service: Service, person: Person
) -> None:
    press(client, SIGN_OUT)
    assert visit(client, "/account").status_code == 303
