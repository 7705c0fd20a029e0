"""Claims at userinfo: for the bearer of an access token, in the forms of RFC 6750."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import StoppedClock
from tests.service import Person, Service

pytestmark = pytest.mark.usefixtures("person")


def test_sub_is_that_of_the_id_token_and_nothing_else_was_asked(
    client: FlaskClient, service: Service
) -> None:
    token = service.tokens(client)["access_token"]
    for response in (
        client.get("/userinfo", headers={"Authorization": f"Bearer {token}"}),
        client.post("/userinfo", headers={"Authorization": f"bearer {token}"}),
        client.post("/userinfo", data={"access_token": token}),
    ):
        assert response.status_code == 200
        assert list(response.get_json()) == ["sub"]
        assert response.headers["Cache-Control"] == "no-store"


def test_without_a_token_the_challenge_names_no_error(client: FlaskClient) -> None:
    response = client.get("/userinfo")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="miftah"'


@pytest.mark.parametrize("value", ["Bearer x", "Bearer " + "A" * 43, "Bearer a b c"])
def test_a_wrong_token_is_invalid_token(client: FlaskClient, value: str) -> None:
    response = client.get("/userinfo", headers={"Authorization": value})
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_a_token_in_the_query_is_not_looked_at(client: FlaskClient, service: Service) -> None:
    token = service.tokens(client)["access_token"]
    assert client.get(f"/userinfo?access_token={token}").status_code == 401


def test_two_tokens_at_once_are_refused(client: FlaskClient, service: Service) -> None:
    token = service.tokens(client)["access_token"]
    response = client.post(
        "/userinfo",
        data={"access_token": token},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


def test_an_id_token_is_no_access_token(client: FlaskClient, service: Service) -> None:
    token = service.tokens(client)["id_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/userinfo", headers=bearer).status_code == 401


def test_a_token_ends_after_ten_minutes(
    client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    bearer = {"Authorization": f"Bearer {service.tokens(client)['access_token']}"}
    clock.forward(seconds=599)
    assert client.get("/userinfo", headers=bearer).status_code == 200
    clock.forward(seconds=1)
    assert client.get("/userinfo", headers=bearer).status_code == 401


def test_a_clients_own_token_speaks_for_no_person(client: FlaskClient, service: Service) -> None:
    form = {"grant_type": "client_credentials", "scope": "audit:read"}
    own = client.post("/token", data=form, headers=service.basic()).get_json()["access_token"]
    response = client.get("/userinfo", headers={"Authorization": f"Bearer {own}"})
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


def test_browsers_of_other_origins_may_ask_here_but_not_at_authorize(
    client: FlaskClient, service: Service
) -> None:
    for path in ("/userinfo", "/jwks", "/.well-known/openid-configuration"):
        assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in client.get(path).headers
    assert client.options("/token").headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in service.ask(client).headers


def test_erasing_a_person_ends_what_was_minted_for_them(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    from broker.db import transaction
    from broker.oidc import store

    bearer = {"Authorization": f"Bearer {service.tokens(client)['access_token']}"}
    with app.app_context(), transaction() as tx:
        store.forget(tx, person.account_id)
    assert client.get("/userinfo", headers=bearer).status_code == 401
