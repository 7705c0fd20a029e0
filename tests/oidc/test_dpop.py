"""Tokens that only the holder of a key can use (RFC 9449)."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import OctKey
from werkzeug.test import TestResponse

from broker.db import transaction
from broker.errors import OAuthError
from broker.oidc import dpop
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.proofs import ProofKey, ath, signed
from tests.service import Service, register, settle

pytestmark = pytest.mark.usefixtures("person")

_KEY = ProofKey()
EXPECTED = dpop.Expected("POST", f"{ISSUER}/token", b"k" * 32)


def redeem(client: FlaskClient, service: Service, proof: str, **asked: str) -> TestResponse:
    headers = service.basic() | {"DPoP": proof}
    return service.redeem(client, service.code(client, **asked), headers=headers)


def own(client: FlaskClient, service: Service, proof: str | None) -> TestResponse:
    """A client's own token, which needs no person."""
    headers = service.basic() | ({} if proof is None else {"DPoP": proof})
    return client.post("/token", data={"grant_type": "client_credentials"}, headers=headers)


def bound(client: FlaskClient, service: Service, key: ProofKey) -> dict[str, Any]:
    response = redeem(client, service, key.proof())
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_a_sound_proof_binds_the_token_to_its_key(
    client: FlaskClient, service: Service, alg: str
) -> None:
    key = ProofKey(alg)
    tokens = bound(client, service, key)
    assert tokens["token_type"] == "DPoP"
    told = client.post(
        "/introspect", data={"token": tokens["access_token"]}, headers=service.basic()
    ).get_json()
    assert told["cnf"] == {"jkt": key.thumbprint}
    assert told["token_type"] == "DPoP"


def test_without_a_proof_the_token_is_a_bearers(client: FlaskClient, service: Service) -> None:
    assert service.tokens(client)["token_type"] == "Bearer"


# RFC 9449 §4.3: what a receiver checks.


@pytest.mark.parametrize(
    "changed",
    [
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 257},
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": f"{ISSUER}/userinfo"},
        {"htu": "https://other.test/token"},
        {"htu": "http://broker.test/token"},
        {"htu": "https://broker.test:444/token"},
        {"htu": "https://user@broker.test/token"},
        {"htu": "https://broker.test:x/token"},
        {"htu": "https://[/token"},
        {"htu": 7},
        {"htu": None},
        {"iat": int(NOON.timestamp()) - 61},
        {"iat": int(NOON.timestamp()) + 61},
        {"iat": 10**400},
        {"iat": str(int(NOON.timestamp()))},
        {"iat": True},
        {"iat": None},
    ],
    ids=str,
)
def test_a_proof_for_another_request_or_time_is_refused(
    client: FlaskClient, service: Service, changed: dict[str, Any]
) -> None:
    response = own(client, service, ProofKey().proof(**changed))
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "changed",
    [
        {"htu": f"{ISSUER}/token?a=b#c"},
        {"htu": "HTTPS://Broker.Test:443/token"},
        {"htu": f"{ISSUER}/%74oken"},
        {"iat": int(NOON.timestamp()) - 60},
        {"iat": int(NOON.timestamp()) + 60},
        {"iat": NOON.timestamp() + 0.5},
        {"jti": "é" * 256},
    ],
    ids=str,
)
def test_a_proof_that_says_the_same_otherwise_is_taken(
    client: FlaskClient, service: Service, changed: dict[str, Any]
) -> None:
    assert own(client, service, ProofKey().proof(**changed)).status_code == 200


def _of_another_type(key: ProofKey) -> str:
    return key.proof(header={"typ": "JWT"})


def _with_the_private_key(key: ProofKey) -> str:
    return key.proof(header={"jwk": key.key.as_dict(private=True)})


def _by_another_key(key: ProofKey) -> str:
    return key.proof(header={"jwk": ProofKey().key.as_dict(private=False)})


def _without_a_key(key: ProofKey) -> str:
    return key.proof(header={"jwk": None})


def _twice(key: ProofKey) -> str:
    return f"{key.proof()},{key.proof()}"


def _by_a_shared_secret(_: ProofKey) -> str:
    key = OctKey.generate_key(256)
    header = {"alg": "HS256", "typ": "dpop+jwt", "jwk": key.as_dict()}
    return signed(header, {}, key)


def _by_rs256(_: ProofKey) -> str:
    return ProofKey("RS256").proof()


def _unsigned(key: ProofKey) -> str:
    return key.proof().rpartition(".")[0] + "."


@pytest.mark.parametrize(
    "make",
    [
        _of_another_type,
        _with_the_private_key,
        _by_another_key,
        _without_a_key,
        _twice,
        _by_a_shared_secret,
        _by_rs256,
        _unsigned,
        lambda _: "x",
        lambda _: "",
    ],
)
def test_a_proof_that_no_public_key_of_its_own_signed_is_refused(
    client: FlaskClient, service: Service, make: Any
) -> None:
    response = own(client, service, make(ProofKey()))
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_dpop_proof")


def test_a_proof_is_good_once(client: FlaskClient, service: Service) -> None:
    proof = ProofKey().proof()
    assert own(client, service, proof).status_code == 200
    again = own(client, service, proof)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_dpop_proof")


def test_two_keys_may_give_their_proofs_the_same_name(
    client: FlaskClient, service: Service
) -> None:
    assert own(client, service, ProofKey().proof(jti="a")).status_code == 200
    assert own(client, service, ProofKey().proof(jti="a")).status_code == 200


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    text=st.text(max_size=60)
    | st.builds(
        lambda header, claims: signed(header, claims, _KEY.key),
        st.fixed_dictionaries(
            {"alg": st.just("ES256")},
            optional={
                "typ": st.sampled_from(["dpop+jwt", "JWT"]),
                "jwk": st.sampled_from([{}, [], None, 7])
                | st.builds(lambda: _KEY.key.as_dict(private=False)),
            },
        ),
        st.dictionaries(
            st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce"]),
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False)
            | st.text(max_size=20)
            | st.sampled_from([f"{ISSUER}/token", "POST", int(NOON.timestamp())]),
        ),
    )
)
def test_no_proof_whatever_is_anything_but_accepted_or_refused(app: Flask, text: str) -> None:
    with app.app_context():
        try:
            with transaction() as tx:
                answer = dpop.check(tx, text, EXPECTED, NOON)
        except OAuthError as error:
            answer = error.code
    assert answer in {_KEY.thumbprint, "invalid_dpop_proof", "use_dpop_nonce"}


# RFC 9449 §8: the nonce of this server.


def fresh(response: TestResponse) -> str:
    assert (response.status_code, response.get_json()["error"]) == (400, "use_dpop_nonce")
    assert response.headers["Cache-Control"] == "no-store"
    return response.headers["DPoP-Nonce"]


@pytest.fixture
def careful(app: Flask, client: FlaskClient) -> Service:
    """A service whose proofs must hold our nonce."""
    service = register(
        app, Service("careful"), dpop_bound_access_tokens=True, require_dpop_nonce=True
    )
    settle(app, client, agreed=("openid",), service="careful")
    return service


def test_where_a_nonce_is_owed_the_refusal_brings_it(client: FlaskClient, careful: Service) -> None:
    key = ProofKey()
    nonce = fresh(own(client, careful, key.proof()))
    answer = own(client, careful, key.proof(nonce=nonce))
    assert answer.status_code == 200
    assert answer.headers["DPoP-Nonce"] == nonce


def test_a_nonce_lives_two_to_four_minutes(
    client: FlaskClient, careful: Service, clock: StoppedClock
) -> None:
    key = ProofKey()
    nonce = fresh(own(client, careful, key.proof()))
    clock.forward(seconds=239)
    answer = own(client, careful, key.proof(nonce=nonce, now=clock.now))
    assert answer.status_code == 200
    newer = answer.headers["DPoP-Nonce"]
    assert newer != nonce
    clock.forward(seconds=1)
    fresh(own(client, careful, key.proof(nonce=nonce, now=clock.now)))
    assert own(client, careful, key.proof(nonce=newer, now=clock.now)).status_code == 200


@pytest.mark.parametrize("nonce", ["made up", "", "é\ud800", 7])
def test_a_nonce_that_is_not_ours_is_refused_even_where_none_is_owed(
    client: FlaskClient, service: Service, nonce: object
) -> None:
    response = own(client, service, ProofKey().proof(nonce=nonce))
    assert response.status_code == 400
    assert response.get_json()["error"] in {"use_dpop_nonce", "invalid_dpop_proof"}


def test_a_fapi_client_owes_a_nonce(app: Flask) -> None:
    from broker.oidc.client_metadata import ClientMetadata

    said = {
        "redirect_uris": ["https://service.test/callback"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=service",
        "dpop_bound_access_tokens": True,
        "profile": "fapi2",
    }
    assert ClientMetadata.model_validate(said).owes_dpop_nonce
    assert not ClientMetadata.model_validate(said | {"profile": None}).owes_dpop_nonce


def test_a_client_that_registered_bound_tokens_gets_no_others(
    client: FlaskClient, careful: Service
) -> None:
    response = own(client, careful, None)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


# RFC 9449 §10: the code is bound to the key as well.


def test_a_code_bound_to_a_key_is_redeemed_by_that_key_only(
    client: FlaskClient, service: Service
) -> None:
    mine, other = ProofKey(), ProofKey()
    asked = {"dpop_jkt": mine.thumbprint}
    assert redeem(client, service, mine.proof(), **asked).status_code == 200
    for response in (
        redeem(client, service, other.proof(), **asked),
        service.redeem(client, service.code(client, **asked)),
    ):
        assert response.get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize("jkt", ["x", "A" * 42, "A" * 44, "é" * 43])
def test_a_dpop_jkt_of_another_form_is_refused(
    client: FlaskClient, service: Service, jkt: str
) -> None:
    from tests.service import answer

    assert answer(service.ask(client, dpop_jkt=jkt))["error"] == "invalid_request"


# RFC 9449 §5: the refresh tokens of public clients are bound, those of others are not.


def refresh(client: FlaskClient, token: str, proof: str | None, **more: str) -> TestResponse:
    form = {"grant_type": "refresh_token", "refresh_token": token} | more
    return client.post("/token", data=form, headers={} if proof is None else {"DPoP": proof})


def test_the_refresh_token_of_a_public_client_is_bound_to_its_key(
    app: Flask, client: FlaskClient
) -> None:
    public = register(app, Service("public"), token_endpoint_auth_method="none", secret=None)
    settle(app, client, agreed=("openid", "offline_access"), service="public")
    mine = ProofKey()
    code = public.code(client, scope="openid offline_access")
    first = public.redeem(
        client, code, headers={"DPoP": mine.proof()}, changed={"client_id": "public"}
    ).get_json()
    token, name = first["refresh_token"], {"client_id": "public"}
    assert refresh(client, token, None, **name).get_json()["error"] == "invalid_grant"
    other = refresh(client, token, ProofKey().proof(), **name)
    assert other.get_json()["error"] == "invalid_grant"
    assert refresh(client, token, mine.proof(), **name).get_json()["token_type"] == "DPoP"


def test_a_client_with_a_secret_may_change_its_key(client: FlaskClient, service: Service) -> None:
    tokens = redeem(client, service, ProofKey().proof(), scope="openid offline_access").get_json()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    headers = service.basic() | {"DPoP": ProofKey().proof()}
    assert client.post("/token", data=form, headers=headers).get_json()["token_type"] == "DPoP"


# RFC 9449 §7: at the resources, userinfo and the record.


def test_userinfo_answers_the_holder_of_the_key(client: FlaskClient, service: Service) -> None:
    key = ProofKey()
    token = bound(client, service, key)["access_token"]
    response = client.get("/userinfo", headers=key.headers(token))
    assert (response.status_code, list(response.get_json())) == (200, ["sub"])


def test_a_bound_token_is_worthless_as_a_bearers(client: FlaskClient, service: Service) -> None:
    key = ProofKey()
    token = bound(client, service, key)["access_token"]
    as_bearer = {"Authorization": f"Bearer {token}"}
    with_proof = as_bearer | {"DPoP": key.proof("/userinfo", "GET", token=token)}
    for response in (
        client.get("/userinfo", headers=as_bearer),
        client.get("/userinfo", headers=with_proof),
        client.post("/userinfo", data={"access_token": token}),
    ):
        assert (response.status_code, response.get_json()["error"]) == (401, "invalid_token")


def test_an_unbound_token_is_worthless_as_dpop(client: FlaskClient, service: Service) -> None:
    token = service.tokens(client)["access_token"]
    response = client.get("/userinfo", headers=ProofKey().headers(token))
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_token")


def test_another_key_cannot_use_the_token(client: FlaskClient, service: Service) -> None:
    token = bound(client, service, ProofKey())["access_token"]
    response = client.get("/userinfo", headers=ProofKey().headers(token))
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_token")
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith('DPoP realm="miftah", error="invalid_token"')
    assert challenge.endswith('algs="ES256 PS256 EdDSA"')


@pytest.mark.parametrize("wrong", [None, "", "x", ath("another token")])
def test_a_proof_at_a_resource_names_the_token_by_its_hash(
    client: FlaskClient, service: Service, wrong: str | None
) -> None:
    key = ProofKey()
    token = bound(client, service, key)["access_token"]
    proof = key.proof("/userinfo", "GET", ath=wrong)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    response = client.get("/userinfo", headers=headers)
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_dpop_proof")
    assert 'error="invalid_dpop_proof"' in response.headers["WWW-Authenticate"]


def test_without_a_proof_the_bound_token_is_refused(client: FlaskClient, service: Service) -> None:
    token = bound(client, service, ProofKey())["access_token"]
    response = client.get("/userinfo", headers={"Authorization": f"DPoP {token}"})
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_dpop_proof")


def test_a_proof_is_good_once_at_a_resource_too(client: FlaskClient, service: Service) -> None:
    key = ProofKey()
    headers = key.headers(bound(client, service, key)["access_token"])
    statuses = [client.get("/userinfo", headers=headers).status_code for _ in range(2)]
    assert statuses == [200, 401]


def test_a_resource_asks_for_the_nonce_with_401(client: FlaskClient, careful: Service) -> None:
    key = ProofKey()
    nonce = fresh(own(client, careful, key.proof()))
    code = careful.code(client)
    headers = careful.basic() | {"DPoP": key.proof(nonce=nonce)}
    token = careful.redeem(client, code, headers=headers).get_json()["access_token"]
    refused = client.get("/userinfo", headers=key.headers(token))
    assert (refused.status_code, refused.get_json()["error"]) == (401, "use_dpop_nonce")
    proof = key.proof("/userinfo", "GET", token=token, nonce=refused.headers["DPoP-Nonce"])
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    assert client.get("/userinfo", headers=headers).status_code == 200


def test_the_record_is_read_with_a_bound_token_by_its_holder_only(
    client: FlaskClient, service: Service
) -> None:
    key, path = ProofKey(), "/api/v1/entries"
    token = own(client, service, key.proof()).get_json()["access_token"]
    assert client.get(path, headers=key.headers(token, path)).status_code == 200
    as_bearer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    other = client.get(path, headers=ProofKey().headers(token, path))
    assert [as_bearer.status_code, other.status_code] == [401, 401]
    bare = client.get(path, headers={"Authorization": f"DPoP {token}"})
    assert bare.status_code == 401
    assert bare.content_type == "application/problem+json"


def test_browsers_may_send_proofs_and_read_nonces(client: FlaskClient) -> None:
    headers = client.options("/token").headers
    assert "DPoP" in headers["Access-Control-Allow-Headers"]
    assert "DPoP-Nonce" in headers["Access-Control-Expose-Headers"]


def test_the_metadata_names_the_algorithms(client: FlaskClient) -> None:
    document = client.get("/.well-known/openid-configuration").get_json()
    assert document["dpop_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA"]


def test_one_of_fifty_with_the_same_proof_is_answered(disk_app: Flask) -> None:
    from tests.oidc.test_races import at_once

    service = register(disk_app)
    proof = ProofKey().proof()
    statuses = at_once(disk_app, lambda c: own(c, service, proof), times=50)
    assert sorted(statuses) == [200] + [400] * 49
