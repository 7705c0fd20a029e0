"""What a token allows, told to those whom it concerns (RFC 7662, RFC 9701)."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from tests.conftest import ISSUER, NOON, StoppedClock
from tests.service import Person, Service, register

API = "https://api.test/v1"
INACTIVE = {"active": False}
SIGNED = "application/token-introspection+jwt"

pytestmark = pytest.mark.usefixtures("person")


@pytest.fixture
def api(app: Flask) -> Service:
    """A service with an API of its own."""
    return register(app, Service("api", secret="api"), resource_identifiers=[API])


def ask(client: FlaskClient, service: Service, token: str, **more: str) -> Any:
    response = client.post("/introspect", data={"token": token} | more, headers=service.basic())
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return response.get_json()


def test_a_client_is_told_what_its_access_token_allows(
    client: FlaskClient, service: Service
) -> None:
    now = int(NOON.timestamp())
    told = ask(client, service, service.tokens(client)["access_token"])
    assert len(told.pop("sub")) == 43
    assert told == {
        "active": True,
        "token_type": "Bearer",
        "iss": ISSUER,
        "aud": ISSUER,
        "client_id": "service",
        "scope": "openid",
        "iat": now,
        "exp": now + 600,
        "auth_time": now,
        "acr": f"{ISSUER}/acr/contact",
        "amr": ["pop", "user", "swk", "mfa"],
    }


def test_a_refresh_token_is_active_until_it_is_spent(client: FlaskClient, service: Service) -> None:
    token = service.tokens(client, scope="openid offline_access")["refresh_token"]
    told = ask(client, service, token)
    assert told["active"] is True
    assert told["exp"] == int(NOON.timestamp()) + 30 * 86_400
    form = {"grant_type": "refresh_token", "refresh_token": token}
    client.post("/token", data=form, headers=service.basic())
    assert ask(client, service, token) == INACTIVE


def test_of_a_token_that_is_not_active_nothing_else_is_told(
    client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    tokens = service.tokens(client)
    assert ask(client, service, "unknown") == INACTIVE
    assert ask(client, service, tokens["id_token"]) == INACTIVE
    clock.forward(seconds=600)
    assert ask(client, service, tokens["access_token"]) == INACTIVE


def test_a_service_is_told_nothing_of_anothers_tokens(
    client: FlaskClient, service: Service, api: Service
) -> None:
    tokens = service.tokens(client, scope="openid offline_access")
    assert ask(client, api, tokens["access_token"]) == INACTIVE
    assert ask(client, api, tokens["refresh_token"]) == INACTIVE


def test_a_service_is_told_of_the_tokens_that_are_meant_for_it(
    client: FlaskClient, service: Service, api: Service
) -> None:
    token = service.tokens(client, resource=API)["access_token"]
    told = ask(client, api, token)
    assert (told["active"], told["aud"], told["client_id"]) == (True, API, "service")


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_the_hint_changes_nothing(client: FlaskClient, service: Service, hint: str) -> None:
    token = service.tokens(client)["access_token"]
    assert ask(client, service, token, token_type_hint=hint)["active"] is True


def test_only_clients_that_prove_themselves_may_ask(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    register(app, Service("public"), token_endpoint_auth_method="none", secret=None)
    token = service.tokens(client)["access_token"]
    for form in ({"client_id": "public"}, {}):
        response = client.post("/introspect", data={"token": token} | form)
        assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"].startswith("Basic")


def test_a_question_about_no_token_is_refused(client: FlaskClient, service: Service) -> None:
    for form in ({}, {"token": ""}, {"token": "x" * 16_385}):
        response = client.post("/introspect", data=form, headers=service.basic())
        assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")
    in_query = client.post("/introspect?token=x", headers=service.basic())
    assert in_query.get_json()["error"] == "invalid_request"
    assert client.get("/introspect").status_code == 405


def test_the_assurance_told_is_todays(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    from broker.oidc.models import GrantRow

    token = service.tokens(client)["access_token"]
    from broker.db import transaction

    with app.app_context(), transaction() as tx:
        row = tx.query(GrantRow).one()
        body = json.loads(json.dumps(row.body))
        body["assurance"]["acr"] = "official-phrh"  # as if it had been proved, and taken back
        row.body = body
    assert ask(client, service, token)["acr"] == f"{ISSUER}/acr/contact"


# RFC 9701: the answer as a signed JWT.


def signed(client: FlaskClient, service: Service, token: str, alg: str) -> tuple[Any, Any]:
    headers = service.basic() | {"Accept": SIGNED}
    response = client.post("/introspect", data={"token": token}, headers=headers)
    assert response.content_type == SIGNED
    keys = KeySet.import_key_set(client.get("/jwks").get_json())
    found = joserfc_jwt.decode(response.text, keys, algorithms=[alg])
    return found.header, found.claims


def test_the_signed_answer_is_a_jwt_of_its_own_type_and_no_token(
    client: FlaskClient, service: Service
) -> None:
    token = service.tokens(client)["access_token"]
    header, claims = signed(client, service, token, "RS256")
    assert header["typ"] == "token-introspection+jwt"
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
    assert (claims["iss"], claims["aud"]) == (ISSUER, "service")
    assert claims["token_introspection"] == ask(client, service, token)


def test_the_signed_answer_is_signed_as_the_client_registered(
    app: Flask, client: FlaskClient
) -> None:
    service = register(app, Service("es"), introspection_signed_response_alg="ES256")
    _, claims = signed(client, service, "unknown", "ES256")
    assert claims["token_introspection"] == INACTIVE


def test_the_signed_answer_is_no_access_token_and_no_hint(
    client: FlaskClient, service: Service
) -> None:
    headers = service.basic() | {"Accept": SIGNED}
    token = client.post("/introspect", data={"token": "x"}, headers=headers).text
    assert client.get("/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    from tests.service import answer

    assert answer(service.ask(client, id_token_hint=token, prompt="none"))["error"]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(token=st.text(min_size=1, max_size=80), door=st.sampled_from(["/introspect", "/revoke"]))
def test_no_token_whatever_is_answered_with_5xx(
    client: FlaskClient, service: Service, token: str, door: str
) -> None:
    response = client.post(door, data={"token": token}, headers=service.basic())
    assert response.status_code == 200
