"""What a code and a refresh token buy, once, and for whom."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jose import jwt as python_jose
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from broker.audit.models import AuditEntry
from broker.db import reading, transaction
from broker.oidc.models import AccessToken, ClientRow, GrantRow, RefreshToken
from tests.conftest import NOON, StoppedClock
from tests.recording import sequenced
from tests.service import CALLBACK, Person, Service, register, settle

pytestmark = pytest.mark.usefixtures("person")


def events(app: Flask, name: str) -> list[dict[str, Any]]:
    sequenced(app)
    with app.app_context(), reading() as tx:
        rows = tx.scalars(select(AuditEntry).where(AuditEntry.event == name)).all()
        return [json.loads(row.leaf) for row in rows]


def decoded(client: FlaskClient, token: str, alg: str = "ES256") -> dict[str, Any]:
    """The claims, signature checked by joserfc against the published keys."""
    keys = KeySet.import_key_set(client.get("/jwks").get_json())
    return dict(joserfc_jwt.decode(token, keys, algorithms=[alg]).claims)


def test_the_answer_is_what_core_3_1_3_3_asks_for(client: FlaskClient, service: Service) -> None:
    response = service.redeem(client, service.code(client))
    body = response.get_json()
    assert response.headers["Cache-Control"] == "no-store"
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert body["scope"] == "openid"
    assert "refresh_token" not in body


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_the_id_token_verifies_with_two_independent_libraries(
    app: Flask, client: FlaskClient, alg: str
) -> None:
    service = register(app, Service(f"svc-{alg}"), id_token_signed_response_alg=alg)
    settle(app, client, agreed=("openid",), service=service.client_id)
    token = service.tokens(client)["id_token"]
    claims = decoded(client, token, alg)
    kid = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]
    key = next(k for k in client.get("/jwks").get_json()["keys"] if k["kid"] == kid)
    again = python_jose.decode(
        token,
        key,
        algorithms=[alg],
        audience=service.client_id,
        options={"verify_at_hash": False, "verify_exp": False},
    )
    assert claims == again


def test_the_id_token_says_who_since_when_and_how_sure(
    app: Flask, client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    clock.forward(seconds=30)
    tokens = service.tokens(client)
    claims = decoded(client, tokens["id_token"])
    now = int((NOON + timedelta(seconds=30)).timestamp())
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["iss"] == "https://broker.test"
    assert claims["aud"] == service.client_id
    assert (claims["iat"], claims["exp"]) == (now, now + 600)
    assert claims["auth_time"] == int(NOON.timestamp())
    assert claims["nonce"] == "n-1"
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert claims["acr"] == "https://broker.test/acr/contact"
    assert claims["amr"] == ["pop", "user", "swk", "mfa"]
    assurance = claims["https://broker.test/claims/assurance"]
    assert assurance["identity"] == "P0"
    assert assurance["verified"] is False
    assert assurance["policy_version"] == app.extensions["broker"].policy.version


def test_no_nonce_asked_no_nonce_given(client: FlaskClient, service: Service) -> None:
    assert "nonce" not in decoded(client, service.tokens(client, nonce=None)["id_token"])


def test_the_subject_is_stable_for_one_sector_and_another_for_the_next(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    first = decoded(client, service.tokens(client)["id_token"])["sub"]
    assert decoded(client, service.tokens(client)["id_token"])["sub"] == first
    other = register(app, Service("other"), sector="other.test")
    from tests.service import agree

    agree(app, person, ("openid",), service="other")
    assert decoded(client, other.tokens(client)["id_token"])["sub"] != first
    assert person.account_id not in (first, person.session_secret)


def test_two_grants_in_one_second_differ(client: FlaskClient, service: Service) -> None:
    one, two = service.tokens(client), service.tokens(client)
    assert one["access_token"] != two["access_token"]
    jtis = [decoded(client, t["id_token"])["jti"] for t in (one, two)]
    assert len(set(jtis)) == 2


def test_an_issuance_is_in_the_record_with_its_level_and_without_its_person(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    token = decoded(client, service.tokens(client)["id_token"])
    [entry] = events(app, "token.issued")
    text = json.dumps(entry)
    assert hashlib.sha256(token["jti"].encode()).hexdigest() in text
    assert '"contact"' in text
    assert person.account_id not in text
    assert token["sub"] not in text
    assert token["jti"] not in text


# RFC 6749 §4.1.2: a code is used once, is bound to its client and address, and is short-lived.


def test_a_code_is_good_once_and_its_second_use_revokes_what_the_first_bought(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    code = service.code(client, scope="openid offline_access")
    first = service.redeem(client, code).get_json()
    again = service.redeem(client, code)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    assert client.get("/userinfo", headers=bearer).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert client.post("/token", data=refresh, headers=service.basic()).status_code == 400
    assert events(app, "token.refused")[0]["facts"]["reason"] == "the code was used before"


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"redirect_uri": CALLBACK + "/"}, "redirect_uri"),
        ({"redirect_uri": ""}, "redirect_uri"),
        ({"code_verifier": "w" * 43}, "code_verifier"),
        ({"code_verifier": ""}, "code_verifier"),
        ({"code_verifier": "v" * 42}, "code_verifier"),
        ({"code_verifier": "v" * 129}, "code_verifier"),
        ({"code": "A" * 43}, "unknown"),
        ({"code": ""}, "unknown"),
        ({"code": "é\ud7ff"}, "unknown"),
    ],
)
def test_a_code_buys_nothing_without_all_that_belongs_to_it(
    client: FlaskClient, service: Service, changed: dict[str, str], hint: str
) -> None:
    response = service.redeem(client, service.code(client), changed=changed)
    body = response.get_json()
    assert (response.status_code, body["error"]) == (400, "invalid_grant")
    assert hint in body["error_description"]


def test_a_wrong_verifier_burns_the_code(client: FlaskClient, service: Service) -> None:
    code = service.code(client)
    service.redeem(client, code, changed={"code_verifier": "w" * 43})
    assert service.redeem(client, code).status_code == 400


def test_another_client_neither_redeems_nor_burns_a_code(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    code = service.code(client)
    thief = register(app, Service("thief", secret="other"))
    assert thief.redeem(client, code).get_json()["error"] == "invalid_grant"
    assert service.redeem(client, code).status_code == 200


def test_a_code_is_over_after_a_minute(
    client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    young, old = service.code(client), service.code(client)
    clock.forward(seconds=59)
    assert service.redeem(client, young).status_code == 200
    clock.forward(seconds=1)
    assert service.redeem(client, old).status_code == 400


# RFC 6749 §2.3: the client proves itself by the one method that it registered.


def test_a_secret_with_every_awkward_character_survives_basic(
    client: FlaskClient, service: Service
) -> None:
    assert "%" in service.secret
    assert "+" in service.secret
    assert service.redeem(client, service.code(client)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"nocolon").decode(),
        "Bearer x",
        "Digest x",
        "basic\tx",
        "Basic " + base64.b64encode(b":x").decode(),
        "x" * 5000,
    ],
)
def test_a_malformed_authorization_header_is_a_401_with_a_challenge(
    client: FlaskClient, service: Service, header: str
) -> None:
    response = service.redeem(client, service.code(client), headers={"Authorization": header})
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")
    assert response.headers["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_secret_and_an_unknown_client_are_answered_alike(
    client: FlaskClient, service: Service
) -> None:
    wrong = Service(secret="wrong").redeem(client, "x")
    unknown = Service("nobody").redeem(client, "x")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.get_json() == unknown.get_json()


def test_another_method_than_the_registered_one_is_refused(
    client: FlaskClient, service: Service
) -> None:
    form = {"grant_type": "authorization_code", "client_id": service.client_id}
    posted = client.post("/token", data=form | {"client_secret": service.secret})
    public = client.post("/token", data=form)
    assert [r.get_json()["error"] for r in (posted, public)] == ["invalid_client"] * 2


def test_two_methods_at_once_are_refused(client: FlaskClient, service: Service) -> None:
    response = service.redeem(
        client, service.code(client), changed={"client_secret": service.secret}
    )
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


def test_a_client_of_post_and_a_public_one_prove_themselves_their_way(
    app: Flask, client: FlaskClient
) -> None:
    post = register(app, Service("post"), token_endpoint_auth_method="client_secret_post")
    public = register(app, Service("public"), token_endpoint_auth_method="none", secret=None)
    for name in ("post", "public"):
        settle(app, client, agreed=("openid",), service=name)
        service = {"post": post, "public": public}[name]
        extra = {"client_id": name} | ({"client_secret": post.secret} if name == "post" else {})
        # An empty header mapping stands for no authentication in the header.
        response = service.redeem(client, service.code(client), headers={"X-A": "b"}, changed=extra)
        assert response.status_code == 200, response.text


def test_a_stored_secret_is_no_secret(app: Flask, service: Service) -> None:
    with app.app_context(), reading() as tx:
        row = tx.get(ClientRow, service.client_id)
        assert row is not None
        assert row.secret is not None
        assert service.secret.encode() not in row.secret


def test_parameters_in_the_query_or_sent_twice_are_refused(
    client: FlaskClient, service: Service
) -> None:
    code = service.code(client)
    in_query = client.post(f"/token?code={code}", headers=service.basic())
    twice = client.post(
        "/token",
        data=f"grant_type=authorization_code&code={code}&code={code}",
        headers=service.basic(),
        content_type="application/x-www-form-urlencoded",
    )
    assert [r.get_json()["error"] for r in (in_query, twice)] == ["invalid_request"] * 2


def test_unknown_and_unregistered_grant_types_are_refused(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    def error(svc: Service, **form: str) -> str:
        found: str = client.post("/token", data=form, headers=svc.basic()).get_json()["error"]
        return found

    modest = register(app, Service("modest"), grant_types=["authorization_code"])
    assert error(service) == "invalid_request"
    assert error(service, grant_type="password") == "unsupported_grant_type"
    assert error(modest, grant_type="client_credentials") == "unauthorized_client"
    assert error(modest, grant_type="refresh_token") == "unauthorized_client"


def test_a_get_at_the_token_endpoint_is_refused(client: FlaskClient) -> None:
    response = client.get("/token")
    assert (response.status_code, response.headers["Allow"])[0:1] == (405,)


# Refresh tokens: RFC 9700 §4.14.2, Core §12.


def refresh(client: FlaskClient, service: Service, token: str, **more: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token} | more
    return client.post("/token", data=form, headers=service.basic())


def test_a_refresh_token_is_rotated_and_keeps_the_sign_in(
    client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    first = service.tokens(client, scope="openid offline_access")
    clock.forward(hours=1)
    second = refresh(client, service, first["refresh_token"]).get_json()
    assert second["refresh_token"] != first["refresh_token"]
    before, after = (decoded(client, t["id_token"]) for t in (first, second))
    assert before["auth_time"] == after["auth_time"]
    assert before["sub"] == after["sub"]
    assert after["iat"] == before["iat"] + 3600
    assert "nonce" not in after


def test_a_refresh_token_used_twice_kills_the_whole_family(
    client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    first = service.tokens(client, scope="openid offline_access")
    second = refresh(client, service, first["refresh_token"]).get_json()
    clock.forward(seconds=10)
    assert refresh(client, service, first["refresh_token"]).status_code == 400
    assert refresh(client, service, second["refresh_token"]).status_code == 400
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert client.get("/userinfo", headers=bearer).status_code == 401


def test_another_client_cannot_use_a_refresh_token(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    token = service.tokens(client, scope="openid offline_access")["refresh_token"]
    thief = register(app, Service("thief", secret="other"))
    assert refresh(client, thief, token).get_json()["error"] == "invalid_grant"
    assert refresh(client, service, token).status_code == 200


def test_a_refresh_narrows_the_scope_but_never_widens_it(
    client: FlaskClient, service: Service
) -> None:
    token = service.tokens(client, scope="openid offline_access")["refresh_token"]
    wider = refresh(client, service, token, scope="openid profile")
    assert wider.get_json()["error"] == "invalid_scope"
    narrower = refresh(client, service, token, scope="openid")
    assert narrower.get_json()["scope"] == "openid"


def test_rotation_does_not_prolong_the_thirty_days(
    client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    token = service.tokens(client, scope="openid offline_access")["refresh_token"]
    clock.forward(days=20)
    token = refresh(client, service, token).get_json()["refresh_token"]
    clock.forward(days=10)
    assert refresh(client, service, token).status_code == 400


def test_offline_access_is_not_given_to_a_client_without_refresh_tokens(
    app: Flask, client: FlaskClient
) -> None:
    modest = register(app, Service("modest"), grant_types=["authorization_code"])
    settle(app, client, agreed=("openid",), service="modest")
    assert "refresh_token" not in modest.tokens(client, scope="openid offline_access")


# A client's own token: RFC 6749 §4.4.


def test_a_client_gets_a_token_of_its_own_for_the_record_only(
    client: FlaskClient, service: Service
) -> None:
    def ask(scope: str) -> Any:
        form = {"grant_type": "client_credentials", "scope": scope}
        return client.post("/token", data=form, headers=service.basic()).get_json()

    granted = ask("audit:read")
    assert granted["scope"] == "audit:read"
    assert "id_token" not in granted
    assert ask("openid")["error"] == "invalid_scope"
    assert ask("audit:read profile")["error"] == "invalid_scope"


def test_stored_tokens_are_digests(app: Flask, client: FlaskClient, service: Service) -> None:
    token = service.tokens(client)["access_token"]
    with app.app_context(), reading() as tx:
        [row] = tx.scalars(select(AccessToken)).all()
        assert row.digest == bytes.fromhex(token[:8]) + hashlib.sha256(token.encode()).digest()[:28]


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    form=st.dictionaries(
        st.sampled_from(
            [
                "grant_type",
                "code",
                "redirect_uri",
                "code_verifier",
                "refresh_token",
                "scope",
                "client_id",
                "client_secret",
                "foo",
            ]
        ),
        st.text(max_size=50) | st.sampled_from(["authorization_code", "refresh_token", CALLBACK]),
    ),
    header=st.none()
    | st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40),
    authenticated=st.booleans(),
)
def test_no_form_whatever_is_answered_with_5xx(
    client: FlaskClient,
    service: Service,
    form: dict[str, str],
    header: str | None,
    authenticated: bool,
) -> None:
    headers = service.basic() if authenticated else {}
    if header is not None and not authenticated:
        headers = {"Authorization": header}
    response = client.post("/token", data=form, headers=headers)
    assert response.status_code in {400, 401}
    assert response.get_json()["error"]


def test_withdrawing_consent_ends_what_was_minted(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    from broker.oidc import feature

    tokens = service.tokens(client, scope="openid offline_access")
    with app.app_context(), transaction() as tx:
        assert feature.revoke is not None
        feature.revoke(tx, person.account_id, service.client_id)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/userinfo", headers=bearer).status_code == 401
    assert refresh(client, service, tokens["refresh_token"]).status_code == 400


def test_what_is_over_is_swept_out_when_somebody_comes(
    app: Flask, client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    service.tokens(client, scope="openid offline_access")
    clock.forward(days=31)
    own = {"grant_type": "client_credentials"}
    assert client.post("/token", data=own, headers=service.basic()).status_code == 200
    service.ask(app.test_client())
    with app.app_context(), reading() as tx:
        for table in (RefreshToken, GrantRow):
            assert tx.scalars(select(table)).all() == []
        assert len(tx.scalars(select(AccessToken)).all()) == 1


def test_what_is_still_good_is_not_swept_out(
    app: Flask, client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    tokens = service.tokens(client, scope="openid offline_access")
    clock.forward(days=29)
    service.ask(app.test_client())
    assert refresh(client, service, tokens["refresh_token"]).status_code == 200
