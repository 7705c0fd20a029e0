"""The desk's doors as HTTP has them: methods, origins, caches, challenges, and no echo."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from broker.db import reading
from broker.oidc.models import GrantRow, PushedRequest
from tests.oidc.asking import pushed
from tests.service import VERIFIER, Person, Service, answer, register

DOORS = {
    "/authorize": "GET POST",
    "/par": "POST",
    "/token": "POST",
    "/userinfo": "GET POST",
    "/introspect": "POST",
    "/revoke": "POST",
    "/jwks": "GET",
    "/.well-known/openid-configuration": "GET",
    "/.well-known/oauth-authorization-server": "GET",
    "/register": "POST",
    "/logout": "GET POST",
}
FOR_BROWSERS = frozenset(DOORS) - {"/authorize", "/register", "/logout"}


# Methods


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("door", DOORS)
def test_another_method_is_405_and_told_which_ones_there_are(
    client: FlaskClient, door: str, method: str
) -> None:
    if method in DOORS[door].split():
        return
    response = client.open(door, method=method)
    assert response.status_code == 405
    allowed = set(re.findall(r"[A-Z]+", response.headers["Allow"]))
    assert allowed - {"HEAD", "OPTIONS"} == set(DOORS[door].split())


@pytest.mark.usefixtures("person")
def test_head_mints_answers_and_ends_nothing(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    uri = pushed(client, service)
    with app.app_context(), reading() as tx:
        waiting = len(tx.scalars(select(PushedRequest)).all())
    for query in (service.arguments(), {"client_id": "service", "request_uri": uri}):
        response = client.head(f"/authorize?{urlencode(query)}")
        assert (response.status_code, response.data) == (200, b"")
    with app.app_context(), reading() as tx:
        assert tx.scalars(select(GrantRow)).all() == []
        assert len(tx.scalars(select(PushedRequest)).all()) == waiting


# Origins


@pytest.mark.parametrize("door", DOORS)
def test_browser_clients_may_call_the_doors_for_programs_and_no_page(
    client: FlaskClient, door: str
) -> None:
    headers = {
        "Origin": "https://elsewhere.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, dpop",
    }
    for method in ("OPTIONS", DOORS[door].split(maxsplit=1)[0]):
        told = client.open(door, method=method, headers=headers).headers
        assert (told.get("Access-Control-Allow-Origin") == "*") is (door in FOR_BROWSERS)
        assert "Access-Control-Allow-Credentials" not in told
        if door in FOR_BROWSERS:
            assert "DPoP" in told["Access-Control-Allow-Headers"]
            assert "DPoP-Nonce" in told["Access-Control-Expose-Headers"]


@pytest.mark.usefixtures("person")
def test_no_origin_is_ever_reflected(client: FlaskClient, service: Service) -> None:
    origin = {"Origin": "https://evil.test"}
    for path in (f"/authorize?{urlencode(service.arguments())}", "/token", "/userinfo", "/account"):
        assert "evil.test" not in str(client.get(path, headers=origin).headers)


# Caches


@pytest.mark.usefixtures("person")
def test_nothing_that_is_about_a_person_or_a_secret_is_kept_by_caches(
    client: FlaskClient, service: Service
) -> None:
    tokens = service.tokens(client)
    form = {"token": tokens["access_token"]}
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    for response in (
        service.ask(client),
        service.ask(client, scope="x"),
        service.redeem(client, "nothing"),
        service.redeem(client, service.code(client)),
        client.get("/userinfo", headers=bearer),
        client.get("/userinfo"),
        client.post("/introspect", data=form, headers=service.basic()),
        client.post("/par", data=service.arguments(), headers=service.basic()),
        client.post("/revoke", data=form, headers=service.basic()),
        client.post("/register"),
    ):
        assert response.headers["Cache-Control"] == "no-store", response.request.path


# Challenges


@pytest.mark.parametrize("door", ["/token", "/par", "/introspect", "/revoke"])
def test_a_client_that_proved_nothing_is_challenged(client: FlaskClient, door: str) -> None:
    """RFC 6749 §5.2, RFC 9110 §11.6.1"""
    response = client.post(door, data={"token": "x"}, headers={"Authorization": "Basic eDp5"})
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")
    assert response.headers["WWW-Authenticate"].startswith('Basic realm="miftah"')


# The body alone counts, and one client at a time


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize("query", ["code=x", "client_id=other", "foo=", "grant_type=password"])
def test_a_stray_parameter_in_the_address_spoils_a_sound_request(
    client: FlaskClient, service: Service, query: str
) -> None:
    """RFC 6749 §3.2: in the body only; what stands in an address ends in logs."""
    code = service.code(client)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": service.redirect_uri,
        "code_verifier": VERIFIER,
    }
    response = client.post(f"/token?{query}", data=form, headers=service.basic())
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")
    assert service.redeem(client, code).status_code == 200


@pytest.mark.usefixtures("person")
def test_a_client_id_beside_the_header_must_be_the_same_one(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    register(app, Service("other"))
    for name, status in (("other", 400), ("nobody", 400), (service.client_id, 200)):
        response = service.redeem(client, service.code(client), changed={"client_id": name})
        assert response.status_code == status, name
        if status == 400:
            assert response.get_json()["error"] == "invalid_request"


# No echo


MARK = "zzMARKzz"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(
        ["scope", "prompt", "max_age", "response_type", "response_mode", "code_challenge", "claims",
         "code_challenge_method", "authorization_details", "dpop_jkt", "resource", "registration",
         "request", "request_uri", "id_token_hint"]
    ),
    around=st.sampled_from(["{}", "<b>{}</b>", '["{}"]', '{{"{}": 1}}', '"{}', "{}\\", "é{}"]),
)  # fmt: skip
def test_no_refusal_repeats_what_was_sent(
    client: FlaskClient, service: Service, person: Person, name: str, around: str
) -> None:
    """RFC 6749 §4.1.2.1, RFC 9700 §4.11: a description is ours, word for word."""
    response = service.ask(client, **{name: around.format(MARK)})
    assert MARK not in (response.location or "")
    if "Location" not in response.headers:
        assert MARK not in unescape(response.text)


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(
    "changed",
    [
        {"grant_type": MARK},
        {"code": MARK},
        {"code_verifier": MARK},
        {"redirect_uri": MARK},
        {"resource": MARK},
        {"client_id": MARK},
        {"client_assertion_type": MARK},
    ],
    ids=str,
)
def test_no_refusal_of_the_token_endpoint_repeats_what_was_sent(
    client: FlaskClient, service: Service, changed: dict[str, str]
) -> None:
    response = service.redeem(client, service.code(client), changed=changed)
    assert response.status_code in {400, 401}
    assert MARK not in response.text + str(response.headers)


@pytest.mark.usefixtures("person")
def test_a_long_request_by_form_is_kept_and_opened_by_a_short_address(
    client: FlaskClient, service: Service
) -> None:
    claims: dict[str, Any] = {"userinfo": {f"claim-{n}": None for n in range(400)}}
    said = service.arguments(claims=str(claims).replace("'", '"').replace("None", "null"))
    bounced = client.post("/authorize", data=said)
    assert bounced.status_code == 303
    assert len(bounced.location) < 300
    assert "code" in answer(client.get(bounced.location))
