"""Tokens that only the holder of a client certificate can use (RFC 8705 §3)."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.db import db
from broker.oidc.client_certificate import client_certificate
from broker.oidc.mtls import thumbprint
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.oidc.test_client_certificate import KEY, behind, by_own_key, certificate, shown
from tests.proofs import ProofKey
from tests.service import Service, register, settle
from tests.signing import a_key

ALIAS = "https://mtls.broker.test"
OWN, STRANGER = certificate(), certificate(a_key())


@pytest.fixture
def app(tools: Tools) -> Iterator[Flask]:
    app = behind(tools)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def service(app: Flask, client: FlaskClient) -> Service:
    found = register(app, tls_client_certificate_bound_access_tokens=True)
    settle(app, client, agreed=("openid", "offline_access"))
    return found


def bound(client: FlaskClient, service: Service, **asked: str) -> dict[str, Any]:
    headers = service.basic() | shown(OWN)
    response = service.redeem(client, service.code(client, **asked), headers=headers)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def at_userinfo(client: FlaskClient, token: str, shows: dict[str, str]) -> int:
    headers = {"Authorization": f"Bearer {token}"} | shows
    return client.get("/userinfo", headers=headers).status_code


def test_introspection_names_the_certificate_by_the_sha256_of_its_der(
    client: FlaskClient, service: Service
) -> None:
    tokens = bound(client, service)
    assert tokens["token_type"] == "Bearer"
    told = client.post(
        "/introspect", data={"token": tokens["access_token"]}, headers=service.basic()
    ).get_json()
    assert told["cnf"] == {"x5t#S256": thumbprint(OWN)}


def test_userinfo_answers_the_holder_of_the_certificate_and_nobody_else(
    client: FlaskClient, service: Service
) -> None:
    token = bound(client, service)["access_token"]
    answered = [at_userinfo(client, token, shows) for shows in (shown(OWN), shown(STRANGER), {})]
    assert answered == [200, 401, 401]


def test_a_client_that_registered_bound_tokens_gets_no_others(
    client: FlaskClient, service: Service
) -> None:
    refused = service.redeem(client, service.code(client))
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_request")


def test_a_jwt_access_token_names_the_certificate(app: Flask, client: FlaskClient) -> None:
    from broker import jose

    service = register(
        app, tls_client_certificate_bound_access_tokens=True, access_token_format="jwt"
    )
    settle(app, client, agreed=("openid",))
    token = bound(client, service)["access_token"]
    claims = jose.verify(token, app.extensions["broker"].keyring, typ="at+jwt").claims
    assert claims["cnf"] == {"x5t#S256": thumbprint(OWN)}


def test_the_refresh_token_of_a_public_client_is_bound_to_its_certificate(
    app: Flask, client: FlaskClient
) -> None:
    """RFC 8705 §4."""
    service = register(
        app,
        secret=None,
        token_endpoint_auth_method="none",
        tls_client_certificate_bound_access_tokens=True,
    )
    settle(app, client, agreed=("openid", "offline_access"))
    code = service.code(client, scope="openid offline_access", prompt="consent")
    named = {"client_id": service.client_id}
    first = service.redeem(client, code, headers=shown(OWN), changed=named)
    token = first.get_json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token} | named
    stolen = client.post("/token", data=form, headers=shown(STRANGER))
    assert (stolen.status_code, stolen.get_json()["error"]) == (400, "invalid_grant")
    assert client.post("/token", data=form, headers=shown(OWN)).status_code == 200


def test_a_certificate_may_prove_the_client_and_bind_its_token_at_once(
    app: Flask, client: FlaskClient
) -> None:
    by_own_key(app, jwks=KEY.key_set, tls_client_certificate_bound_access_tokens=True)
    form = {"grant_type": "client_credentials", "client_id": "service"}
    token = client.post("/token", data=form, headers=shown(OWN)).get_json()["access_token"]
    told = client.post(
        "/introspect", data={"token": token, "client_id": "service"}, headers=shown(OWN)
    )
    assert told.get_json()["cnf"] == {"x5t#S256": thumbprint(OWN)}


def test_the_thumbprint_is_that_of_the_certificate_in_the_header(app: Flask) -> None:
    with app.test_request_context(headers=shown(OWN)):
        found = client_certificate()
    assert found is not None
    assert thumbprint(found) == thumbprint(OWN) != thumbprint(STRANGER)


# With a proof of possession besides (RFC 8705 §5, RFC 9449 §4.3)


@pytest.mark.parametrize(
    ("sent_to", "names", "status"),
    [
        (ALIAS, ALIAS, 200),
        (ALIAS, ISSUER, 400),
        (ISSUER, ISSUER, 200),
        (ISSUER, ALIAS, 400),
        ("https://elsewhere.test", "https://elsewhere.test", 400),
    ],
)
def test_a_proof_names_the_address_that_was_called_the_one_for_certificates_too(
    tools: Tools, sent_to: str, names: str, status: int
) -> None:
    app = behind(tools, tls={"mtls_origin": ALIAS})
    by_own_key(app, jwks=KEY.key_set)
    form = {"grant_type": "client_credentials", "client_id": "service"}
    headers = shown(OWN) | {"DPoP": ProofKey().proof(htu=f"{names}/token")}
    answer = app.test_client().post("/token", data=form, headers=headers, base_url=sent_to)
    assert answer.status_code == status, answer.text
    with app.app_context():
        db.engine.dispose()
