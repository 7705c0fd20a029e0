"""Access tokens in either form, for whom they are meant, and signed userinfo."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from broker.oidc.client_metadata import ClientMetadata
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.oidc.test_introspection import API, INACTIVE, ask
from tests.oidc.test_revocation import works
from tests.oidc.test_token import refresh
from tests.proofs import ProofKey
from tests.service import Person, Service, agree, answer, register, settle

OTHER = "https://api.test/v2"

pytestmark = pytest.mark.usefixtures("person")


@pytest.fixture
def api(app: Flask) -> Service:
    """A service with two APIs of its own."""
    return register(app, Service("api", secret="api"), resource_identifiers=[API, OTHER])


@pytest.fixture
def modern(app: Flask, person: Person, api: Service) -> Service:
    """A service whose access tokens are JWTs."""
    service = register(app, Service("modern"), access_token_format="jwt", may_act="api")
    agree(app, person, ("openid", "offline_access"), service="modern")
    return service


def opened(client: FlaskClient, token: str, alg: str = "ES256") -> tuple[Any, Any]:
    keys = KeySet.import_key_set(client.get("/jwks").get_json())
    found = joserfc_jwt.decode(token, keys, algorithms=[alg])
    return found.header, found.claims


# RFC 9068 §2: JWT access tokens.


def test_a_jwt_access_token_says_what_rfc_9068_asks_for(
    client: FlaskClient, modern: Service
) -> None:
    now, tokens = int(NOON.timestamp()), modern.tokens(client)
    header, claims = opened(client, tokens["access_token"])
    assert header["typ"] == "at+jwt"
    _, of_id_token = opened(client, tokens["id_token"])
    assert claims.pop("sub") == of_id_token["sub"]
    assert len(claims.pop("jti")) == 51
    assert claims == {
        "iss": ISSUER,
        "aud": ISSUER,
        "client_id": "modern",
        "scope": "openid",
        "iat": now,
        "exp": now + 600,
        "auth_time": now,
        "acr": f"{ISSUER}/acr/contact",
        "amr": ["pop", "user", "swk", "mfa"],
        "may_act": {"sub": "api"},
    }


def test_a_clients_own_jwt_names_the_client_as_its_subject(
    client: FlaskClient, modern: Service
) -> None:
    form = {"grant_type": "client_credentials", "resource": API}
    token = client.post("/token", data=form, headers=modern.basic()).get_json()["access_token"]
    _, claims = opened(client, token)
    assert (claims["sub"], claims["client_id"], claims["aud"]) == ("modern", "modern", API)
    assert not {"acr", "amr", "auth_time"} & set(claims)


def test_a_jwt_of_a_key_holder_names_the_key(client: FlaskClient, modern: Service) -> None:
    key = ProofKey()
    headers = modern.basic() | {"DPoP": key.proof()}
    token = modern.redeem(client, modern.code(client), headers=headers).get_json()["access_token"]
    assert opened(client, token)[1]["cnf"] == {"jkt": key.thumbprint}
    assert client.get("/userinfo", headers=key.headers(token)).status_code == 200


def test_a_jwt_is_honoured_here_and_revoked_like_any_other(
    client: FlaskClient, modern: Service
) -> None:
    token = modern.tokens(client)["access_token"]
    assert works(client, token)
    client.post("/revoke", data={"token": token}, headers=modern.basic())
    assert not works(client, token)
    assert ask(client, modern, token) == INACTIVE


def test_a_jwt_with_another_signature_of_the_same_is_unknown_here(
    client: FlaskClient, modern: Service
) -> None:
    token = modern.tokens(client)["access_token"]
    assert not works(client, token[:-2] + ("AA" if token[-2:] != "AA" else "BA"))
    assert not works(client, token.rpartition(".")[0] + ".")


def test_a_jwt_access_token_is_no_id_token_hint(client: FlaskClient, modern: Service) -> None:
    token = modern.tokens(client)["access_token"]
    assert answer(modern.ask(client, id_token_hint=token, prompt="none"))["error"]


# RFC 8707: resource indicators.


def test_a_token_is_meant_for_the_resource_that_was_asked_for(
    client: FlaskClient, modern: Service
) -> None:
    token = modern.tokens(client, resource=API)["access_token"]
    assert opened(client, token)[1]["aud"] == API


def test_a_token_for_another_resource_is_not_honoured_here(
    client: FlaskClient, modern: Service
) -> None:
    assert not works(client, modern.tokens(client, resource=API)["access_token"])
    assert works(client, modern.tokens(client, resource=ISSUER)["access_token"])


def ask_for(client: FlaskClient, service: Service, *resources: str) -> str:
    from urllib.parse import urlencode

    query = [*service.arguments().items(), *(("resource", r) for r in resources)]
    return answer(client.get(f"/authorize?{urlencode(query)}"))["code"]


def test_several_resources_may_be_asked_for_and_one_of_them_chosen_each_time(
    client: FlaskClient, modern: Service
) -> None:
    both = modern.redeem(client, ask_for(client, modern, API, OTHER)).get_json()
    assert opened(client, both["access_token"])[1]["aud"] == [API, OTHER]
    code = ask_for(client, modern, API, OTHER)
    one = modern.redeem(client, code, changed={"resource": OTHER}).get_json()
    assert opened(client, one["access_token"])[1]["aud"] == OTHER


def test_a_refresh_may_choose_another_resource_of_those_granted(
    client: FlaskClient, modern: Service
) -> None:
    tokens = modern.tokens(client, scope="openid offline_access", resource=API)
    other = refresh(client, modern, tokens["refresh_token"], resource=OTHER)
    assert (other.status_code, other.get_json()["error"]) == (400, "invalid_target")
    same = refresh(client, modern, tokens["refresh_token"], resource=API).get_json()
    assert opened(client, same["access_token"])[1]["aud"] == API


@pytest.mark.parametrize(
    "resource", ["https://nobody.test/", API + "/", API + "#x", "api", "%", "https://api.test/_1"]
)
def test_a_resource_that_nobody_registered_is_an_invalid_target(
    client: FlaskClient, modern: Service, resource: str
) -> None:
    assert answer(modern.ask(client, resource=resource))["error"] == "invalid_target"
    form = {"grant_type": "client_credentials", "resource": resource}
    response = client.post("/token", data=form, headers=modern.basic())
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_target")


def test_a_resource_that_was_not_asked_for_before_is_an_invalid_target(
    client: FlaskClient, modern: Service
) -> None:
    for asked, wanted in ((None, API), (API, OTHER), (API, ISSUER)):
        code = modern.code(client, resource=asked)
        response = modern.redeem(client, code, changed={"resource": wanted})
        assert response.get_json()["error"] == "invalid_target"
        assert modern.redeem(client, code).status_code == 200


@pytest.mark.parametrize("uri", ["/v1", "https://api.test/#x", "api", "https://a b", "x" * 2049])
def test_a_resource_is_registered_by_an_absolute_uri_without_fragment(uri: str) -> None:
    with pytest.raises(ValueError, match="resource_identifiers"):
        ClientMetadata.model_validate({"grant_types": [], "resource_identifiers": [uri]})


def test_nine_resources_at_once_are_too_many(client: FlaskClient, modern: Service) -> None:
    form = {"grant_type": "client_credentials", "resource": [f"{API}/{n}" for n in range(9)]}
    response = client.post("/token", data=form, headers=modern.basic())
    assert response.get_json()["error"] == "invalid_target"


# Core §5.3.2: signed userinfo.


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_userinfo_is_signed_for_those_who_registered_it(
    app: Flask, client: FlaskClient, alg: str
) -> None:
    service = register(app, Service("signed"), userinfo_signed_response_alg=alg)
    settle(app, client, agreed=("openid",), service="signed")
    tokens = service.tokens(client)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    response = client.get("/userinfo", headers=bearer)
    assert response.content_type == "application/jwt"
    assert response.headers["Cache-Control"] == "no-store"
    _, claims = opened(client, response.text, alg)
    _, of_id_token = opened(client, tokens["id_token"])
    assert claims == {"sub": of_id_token["sub"], "iss": ISSUER, "aud": "signed"}


def test_a_jwt_ends_after_ten_minutes_here_too(
    client: FlaskClient, modern: Service, clock: StoppedClock
) -> None:
    token = modern.tokens(client)["access_token"]
    clock.forward(seconds=599)
    assert works(client, token)
    clock.forward(seconds=1)
    assert not works(client, token)
