"""A client says that it needs a token no more (RFC 7009)."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.oidc.test_token import events, refresh
from tests.service import Service, register, settle

pytestmark = pytest.mark.usefixtures("person")


def revoke(client: FlaskClient, service: Service, token: str, **more: str) -> Any:
    return client.post("/revoke", data={"token": token} | more, headers=service.basic())


def works(client: FlaskClient, access_token: str) -> bool:
    bearer = {"Authorization": f"Bearer {access_token}"}
    return client.get("/userinfo", headers=bearer).status_code == 200


def test_a_revoked_access_token_ends_alone(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    tokens = service.tokens(client, scope="openid offline_access")
    response = revoke(client, service, tokens["access_token"])
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert not works(client, tokens["access_token"])
    assert refresh(client, service, tokens["refresh_token"]).status_code == 200
    assert len(events(app, "token.revoked")) == 1


def test_a_revoked_refresh_token_takes_its_whole_grant_with_it(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    tokens = service.tokens(client, scope="openid offline_access")
    assert revoke(client, service, tokens["refresh_token"]).status_code == 200
    assert not works(client, tokens["access_token"])
    assert refresh(client, service, tokens["refresh_token"]).status_code == 400
    assert len(events(app, "token.revoked")) == 1


def test_even_a_spent_refresh_token_ends_its_family(client: FlaskClient, service: Service) -> None:
    first = service.tokens(client, scope="openid offline_access")
    second = refresh(client, service, first["refresh_token"]).get_json()
    revoke(client, service, first["refresh_token"])
    assert not works(client, second["access_token"])


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "nonsense"])
def test_an_unknown_or_wrong_hint_is_ignored(
    client: FlaskClient, service: Service, hint: str
) -> None:
    token = service.tokens(client)["access_token"]
    assert revoke(client, service, token, token_type_hint=hint).status_code == 200
    assert not works(client, token)


def test_another_clients_token_is_left_alone(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    stranger = register(app, Service("stranger", secret="s"))
    tokens = service.tokens(client, scope="openid offline_access")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert revoke(client, stranger, token).status_code == 200
    assert works(client, tokens["access_token"])
    assert refresh(client, service, tokens["refresh_token"]).status_code == 200
    assert events(app, "token.revoked") == []


def test_an_unknown_token_is_as_good_as_revoked(client: FlaskClient, service: Service) -> None:
    assert revoke(client, service, "unknown").status_code == 200


def test_a_client_must_prove_itself(app: Flask, client: FlaskClient, service: Service) -> None:
    token = service.tokens(client)["access_token"]
    response = client.post("/revoke", data={"token": token})
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert works(client, token)


def test_a_public_client_revokes_its_own(app: Flask, client: FlaskClient) -> None:
    public = register(app, Service("public"), token_endpoint_auth_method="none", secret=None)
    settle(app, client, agreed=("openid",), service="public")
    token = public.redeem(
        client, public.code(client), headers={"X-A": "b"}, changed={"client_id": "public"}
    ).get_json()["access_token"]
    client.post("/revoke", data={"token": token, "client_id": "public"})
    assert not works(client, token)


def test_an_id_token_is_no_token_that_could_be_revoked(
    client: FlaskClient, service: Service
) -> None:
    response = revoke(client, service, service.tokens(client)["id_token"])
    assert (response.status_code, response.get_json()["error"]) == (400, "unsupported_token_type")


def test_a_revocation_of_nothing_is_refused(client: FlaskClient, service: Service) -> None:
    assert revoke(client, service, "").get_json()["error"] == "invalid_request"
    assert client.get("/revoke").status_code == 405


def test_browser_clients_may_revoke(client: FlaskClient) -> None:
    for door in ("/revoke", "/introspect"):
        assert client.options(door).headers["Access-Control-Allow-Origin"] == "*"


def test_a_clients_own_token_is_revoked_too(client: FlaskClient, service: Service) -> None:
    form = {"grant_type": "client_credentials"}
    token = client.post("/token", data=form, headers=service.basic()).get_json()["access_token"]
    bearer, path = {"Authorization": f"Bearer {token}"}, "/api/v1/entries"
    assert client.get(path, headers=bearer).status_code == 200
    revoke(client, service, token)
    assert client.get(path, headers=bearer).status_code == 401
