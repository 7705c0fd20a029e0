"""FAPI 2.0 Security Profile and Message Signing (final): every rule of `profile = "fapi2"`.

One test for one rule of §5.3.2.1, §5.3.2.2, §5.3.4 and §5.4 of the profile, and of Message
Signing §5.3, §5.4 and §5.5. What holds for every client is tested where it is made as well.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError
from werkzeug.test import TestResponse

from broker import jose
from broker.oidc import dpop
from broker.oidc.client_metadata import ClientMetadata
from broker.settings import OidcSettings
from tests.conftest import _KEYS, ISSUER, NOON, StoppedClock
from tests.oidc.asking import AT, open_pushed, request_object
from tests.proofs import ProofKey
from tests.service import (
    VERIFIER,
    Service,
    answer,
    is_page_of_refusal,
    later,
    register,
    settle,
)
from tests.signing import ClientKey, a_key, assertion_claims, assertion_form

KEY = a_key()
PROOFS = ProofKey()
PROFILE: dict[str, Any] = {
    "profile": "fapi2",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": KEY.key_set,
    "dpop_bound_access_tokens": True,
    "redirect_uris": ["https://service.test/callback"],
}
_serial = count(1)


@pytest.fixture
def service(app: Flask, client: FlaskClient) -> Service:
    return held(app, client)


def held(app: Flask, client: FlaskClient, **said: Any) -> Service:
    """A service under the profile, whose person has agreed."""
    service = register(app, **(PROFILE | {"secret": None} | said))
    settle(app, client, agreed=("openid", "offline_access"))
    return service


def proved(app: Flask, key: ClientKey = KEY, **changed: Any) -> dict[str, str]:
    """Client authentication, new each time."""
    now = app.extensions["broker"].clock()
    claims = assertion_claims(now, jti=f"fapi-{next(_serial)}") | changed
    form = assertion_form(key.sign(claims))
    form.pop("grant_type")
    return form


def headers(app: Flask, path: str, key: ProofKey = PROOFS, **more: Any) -> dict[str, str]:
    """A DPoP proof with the nonce that the profile asks for here."""
    now = app.extensions["broker"].clock()
    nonce = dpop.nonce(_KEYS.browser, now)
    return {"DPoP": key.proof(path, nonce=nonce, now=now, **more)}


def push(app: Flask, client: FlaskClient, service: Service, **changed: Any) -> TestResponse:
    return client.post("/par", data=service.arguments(**changed) | proved(app))


def uri(app: Flask, client: FlaskClient, service: Service, **changed: Any) -> str:
    response = push(app, client, service, **changed)
    assert response.status_code == 201, response.text
    return str(response.get_json()["request_uri"])


def code(app: Flask, client: FlaskClient, service: Service, **changed: Any) -> str:
    return answer(open_pushed(client, service, uri(app, client, service, **changed)))["code"]


def redeem(app: Flask, client: FlaskClient, service: Service, bought: str) -> TestResponse:
    form = {
        "grant_type": "authorization_code",
        "code": bought,
        "redirect_uri": service.redirect_uri,
        "code_verifier": VERIFIER,
    }
    return client.post("/token", data=form | proved(app), headers=headers(app, "/token"))


def tokens(app: Flask, client: FlaskClient, service: Service, **changed: Any) -> dict[str, Any]:
    response = redeem(app, client, service, code(app, client, service, **changed))
    assert response.status_code == 200, response.text
    return dict(response.get_json())


# §5.3.2.1 General


def test_the_metadata_is_published_at_both_addresses(client: FlaskClient) -> None:
    documents = [
        client.get(f"/.well-known/{name}").get_json()
        for name in ("openid-configuration", "oauth-authorization-server")
    ]
    assert documents[0] == documents[1]
    assert documents[0]["issuer"] == ISSUER


def test_the_password_grant_does_not_exist(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    form = {"grant_type": "password", "username": "a", "password": "b"}
    response = client.post("/token", data=form | proved(app), headers=headers(app, "/token"))
    assert response.get_json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_only_confidential_clients_with_keys_may_have_the_profile(method: str) -> None:
    with pytest.raises(ValidationError, match="private_key_jwt or mutual TLS"):
        ClientMetadata.model_validate(PROFILE | {"token_endpoint_auth_method": method})


def test_tokens_without_a_key_are_not_to_be_registered() -> None:
    with pytest.raises(ValidationError, match="sender-constrained"):
        ClientMetadata.model_validate(PROFILE | {"dpop_bound_access_tokens": False})


def test_every_access_token_is_bound_to_the_senders_key(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    told = tokens(app, client, service)
    assert told["token_type"] == "DPoP"
    found = client.post("/introspect", data={"token": told["access_token"]} | proved(app))
    assert found.get_json()["cnf"] == {"jkt": PROOFS.thumbprint}


def test_no_token_is_given_to_whom_shows_no_key(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    bought = code(app, client, service)
    form = {"grant_type": "authorization_code", "code": bought, "code_verifier": VERIFIER}
    form |= {"redirect_uri": service.redirect_uri} | proved(app)
    response = client.post("/token", data=form)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "aud", [f"{ISSUER}/token", f"{ISSUER}/par", [ISSUER], [ISSUER, "x"], f"{ISSUER}/", None]
)
def test_an_assertion_is_for_the_issuer_as_a_string_and_nothing_else(
    app: Flask, client: FlaskClient, service: Service, aud: object
) -> None:
    form = service.arguments() | proved(app, aud=aud)
    assert client.post("/par", data=form).status_code == 401


def test_refresh_tokens_are_not_rotated(app: Flask, client: FlaskClient, service: Service) -> None:
    told = tokens(app, client, service, scope="openid offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    for _ in range(3):
        later(app, hours=1)
        response = client.post("/token", data=form | proved(app), headers=headers(app, "/token"))
        assert response.status_code == 200, response.text
        assert "refresh_token" not in response.get_json()
        assert response.get_json()["token_type"] == "DPoP"


def test_a_refresh_token_still_ends_when_it_said_it_would(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    told = tokens(app, client, service, scope="openid offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    later(app, days=30)
    response = client.post("/token", data=form | proved(app), headers=headers(app, "/token"))
    assert response.get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400)])
def test_a_code_is_good_for_sixty_seconds_at_most(
    app: Flask, client: FlaskClient, service: Service, seconds: int, status: int
) -> None:
    """Although this system gives codes of other services ten minutes."""
    house = app.extensions["broker"]
    longer = OidcSettings(code_lifetime=timedelta(minutes=10))
    settings = house.settings.model_copy(update={"oidc": longer})
    app.extensions["broker"] = replace(house, settings=settings)
    bought = code(app, client, service)
    later(app, seconds=seconds)
    assert redeem(app, client, service, bought).status_code == status


def test_a_code_is_bound_to_the_key_that_was_shown_at_par(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    """RFC 9449 §10.1"""
    form = service.arguments() | proved(app)
    pushed = client.post("/par", data=form, headers=headers(app, "/par", ProofKey()))
    assert pushed.status_code == 201, pushed.text
    bought = answer(open_pushed(client, service, pushed.get_json()["request_uri"]))["code"]
    assert redeem(app, client, service, bought).get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("ahead", "status"), [(10, 201), (61, 401)])
@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_clocks_may_differ_by_ten_seconds_and_not_by_more_than_sixty(
    app: Flask, client: FlaskClient, service: Service, name: str, ahead: int, status: int
) -> None:
    said: dict[str, Any] = {name: AT + ahead}
    form = service.arguments() | proved(app, **said)
    assert client.post("/par", data=form).status_code == status


# §5.3.2.2 Authorization code flow


def test_only_pushed_requests_are_heard(client: FlaskClient, service: Service) -> None:
    assert answer(service.ask(client))["error"] == "invalid_request"
    long = client.post("/authorize", data=service.arguments(login_hint="x" * 7000))
    assert "code" not in answer(long)


def test_a_signed_request_that_was_not_pushed_is_not_heard_either(
    client: FlaskClient, service: Service
) -> None:
    said = {"client_id": "service", "redirect_uri": service.redirect_uri}
    said["request"] = request_object(service, KEY)
    back = answer(client.get("/authorize", query_string=said))
    assert back["error"] == "invalid_request"


def test_nobody_pushes_without_client_authentication(client: FlaskClient, service: Service) -> None:
    assert client.post("/par", data=service.arguments()).status_code == 401


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
    ],
)
def test_code_pkce_and_an_address_are_needed_in_what_is_pushed(
    app: Flask,
    client: FlaskClient,
    service: Service,
    changed: dict[str, str | None],
    error: str,
) -> None:
    response = push(app, client, service, **changed)
    assert (response.status_code, response.get_json()["error"]) == (400, error)


def test_the_answer_names_its_issuer(app: Flask, client: FlaskClient, service: Service) -> None:
    response = open_pushed(client, service, uri(app, client, service))
    assert response.status_code == 303  # never 307, which would repeat a form elsewhere
    assert answer(response)["iss"] == ISSUER


def test_answers_go_to_https_only_but_for_native_clients_of_this_machine() -> None:
    here = PROFILE | {"redirect_uris": ["http://127.0.0.1/cb"]}
    with pytest.raises(ValidationError, match="https redirect"):
        ClientMetadata.model_validate(here)
    assert ClientMetadata.model_validate(here | {"application_type": "native"})
    with pytest.raises(ValidationError, match="must be https"):
        ClientMetadata.model_validate(PROFILE | {"redirect_uris": ["http://service.test/cb"]})


def test_a_used_code_is_refused_and_what_it_bought_is_over(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    bought = code(app, client, service)
    token = redeem(app, client, service, bought).get_json()["access_token"]
    assert redeem(app, client, service, bought).get_json()["error"] == "invalid_grant"
    found = client.post("/introspect", data={"token": token} | proved(app)).get_json()
    assert found == {"active": False}


def test_a_pushed_request_lives_for_less_than_ten_minutes(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    assert 0 < push(app, client, service).get_json()["expires_in"] < 600
    with pytest.raises(ValidationError):
        OidcSettings.model_validate({"pushed_lifetime": "PT10M"})


def test_a_request_uri_is_answered_once(app: Flask, client: FlaskClient, service: Service) -> None:
    pushed = uri(app, client, service)
    assert "code" in answer(open_pushed(client, service, pushed))
    assert is_page_of_refusal(open_pushed(client, service, pushed))


# §5.3.4 Resource servers: ours is userinfo


def test_userinfo_is_for_the_holder_of_the_key_and_never_by_the_query(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    token = tokens(app, client, service)["access_token"]
    now = NOON
    said = {"nonce": dpop.nonce(_KEYS.browser, now), "token": token}
    proof = PROOFS.proof("/userinfo", "GET", now=now, **said)
    good = client.get("/userinfo", headers={"Authorization": f"DPoP {token}", "DPoP": proof})
    assert list(good.get_json()) == ["sub"]
    assert client.get("/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert client.get(f"/userinfo?{urlencode({'access_token': token})}").status_code == 401
    foreign = ProofKey().proof("/userinfo", "GET", now=now, **said)
    bad = client.get("/userinfo", headers={"Authorization": f"DPoP {token}", "DPoP": foreign})
    assert bad.status_code == 401


# §5.4 Cryptography


@pytest.mark.parametrize(
    "name",
    [
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "introspection_signed_response_alg",
        "authorization_signed_response_alg",
        "token_endpoint_auth_signing_alg",
        "request_object_signing_alg",
    ],
)
def test_rs256_is_not_to_be_registered_for_anything(name: str) -> None:
    with pytest.raises(ValidationError, match="RS256"):
        ClientMetadata.model_validate(PROFILE | {name: "RS256"})


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA", "RS256"])
def test_three_algorithms_prove_a_client_and_rs256_does_not(
    app: Flask, client: FlaskClient, alg: str
) -> None:
    key = a_key(alg)
    service = held(app, client, jwks=key.key_set)
    response = client.post("/par", data=service.arguments() | proved(app, key))
    assert response.status_code == (401 if alg == "RS256" else 201)


def test_no_answer_is_signed_with_rs256_for_want_of_a_choice(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    told = tokens(app, client, service)
    assert jose.verify(told["id_token"], _KEYS).header["alg"] == "ES256"
    accept = {"Accept": "application/token-introspection+jwt"}
    form = {"token": told["access_token"]} | proved(app)
    signed = client.post("/introspect", data=form, headers=accept).text
    assert jose.verify(signed, _KEYS, "token-introspection+jwt").header["alg"] == "ES256"
    back = answer(open_pushed(client, service, uri(app, client, service, response_mode="jwt")))
    assert jose.verify(back["response"], _KEYS).header["alg"] == "ES256"


def test_secrets_of_ours_are_beyond_guessing(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    """128 bits at least; ours are 256, 43 characters of base64url, behind when it was."""
    bought = code(app, client, service, scope="openid offline_access")
    told = redeem(app, client, service, bought).get_json()
    secrets = (bought, told["access_token"], told["refresh_token"])
    assert {(text[:8], len(text[8:])) for text in secrets} == {(f"{int(NOON.timestamp()):08x}", 43)}


# Message Signing


SIGNING = {"require_signed_request_object": True, "authorization_signed_response_alg": "PS256"}


@pytest.fixture
def signing(app: Flask, client: FlaskClient) -> Service:
    return held(app, client, **SIGNING)


def push_signed(
    app: Flask, client: FlaskClient, service: Service, key: ClientKey = KEY, **changed: Any
) -> TestResponse:
    form = {"request": request_object(service, key, **changed)}
    return client.post("/par", data=form | proved(app))


def test_a_request_that_is_not_signed_is_refused(
    app: Flask, client: FlaskClient, signing: Service
) -> None:
    response = push(app, client, signing)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 201),
        ({"aud": [ISSUER]}, 201),
        ({"aud": f"{ISSUER}/par"}, 400),
        ({"nbf": None}, 400),
        ({"exp": None}, 400),
        ({"nbf": AT - 3700}, 400),
        ({"nbf": AT - 3500}, 201),
        ({"exp": AT + 3700}, 400),
        ({"exp": AT - 300}, 400),
        ({"nbf": AT + 10}, 201),
        ({"nbf": AT + 61}, 400),
    ],
    ids=str,
)
def test_a_signed_request_is_for_here_and_for_an_hour(
    app: Flask, client: FlaskClient, signing: Service, changed: dict[str, Any], status: int
) -> None:
    response = push_signed(app, client, signing, **changed)
    assert response.status_code == status, response.text


def test_a_request_signed_with_rs256_is_refused(app: Flask, client: FlaskClient) -> None:
    weak = a_key("RS256", "weak")
    keys = {"keys": [KEY.public, weak.public]}
    service = held(app, client, jwks=keys, **SIGNING)
    assert push_signed(app, client, service).status_code == 201
    response = push_signed(app, client, service, weak)
    assert response.get_json()["error"] == "invalid_request_object"


@pytest.mark.parametrize("mode", [None, "jwt", "query.jwt"])
def test_the_answer_is_signed_whatever_mode_is_asked(
    app: Flask, client: FlaskClient, signing: Service, mode: str | None
) -> None:
    pushed = push_signed(app, client, signing, response_mode=mode).get_json()["request_uri"]
    back = answer(open_pushed(client, signing, pushed))
    assert set(back) == {"response"}
    signed = jose.verify(back["response"], _KEYS)
    assert signed.header["alg"] == "PS256"
    assert {"iss": ISSUER, "aud": "service", "state": "é&state=1"}.items() <= signed.claims.items()
    assert signed.claims["exp"] <= AT + 600


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_an_answer_in_clear_is_not_to_be_had(
    app: Flask, client: FlaskClient, signing: Service, mode: str
) -> None:
    response = push_signed(app, client, signing, response_mode=mode)
    assert response.get_json()["error"] == "invalid_request"


def test_introspection_is_signed_for_whom_asks_for_it_so(
    app: Flask, client: FlaskClient, signing: Service, clock: StoppedClock
) -> None:
    pushed = push_signed(app, client, signing).get_json()["request_uri"]
    back = answer(open_pushed(client, signing, pushed))
    bought = str(jose.verify(back["response"], _KEYS).claims["code"])
    token = redeem(app, client, signing, bought).get_json()["access_token"]
    accept = {"Accept": "application/token-introspection+jwt"}
    found = client.post("/introspect", data={"token": token} | proved(app), headers=accept)
    claims = jose.verify(found.text, _KEYS, "token-introspection+jwt").claims
    assert (claims["iss"], claims["aud"]) == (ISSUER, "service")
    assert claims["iat"] == int(clock.now.timestamp())
    assert claims["token_introspection"]["active"] is True
