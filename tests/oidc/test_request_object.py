"""Requests that the client signed (RFC 9101, Core §6): by value, pushed, by address."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from broker.oidc.request_object import TYPES
from broker.web.tools import Tools
from tests import servers
from tests.conftest import StoppedClock
from tests.oidc.asking import AT, KEY, object_claims, open_pushed, request_object
from tests.oidc.test_races import at_once
from tests.service import CALLBACK, Service, answer, is_page_of_refusal, register, settle
from tests.signing import ClientKey, a_key

TYP = "oauth-authz-req+jwt"
OBJECT = f"application/{TYP}"


@pytest.fixture
def signer(app: Flask, client: FlaskClient) -> Service:
    """A service with a key, whose person has signed in and agreed."""
    service = register(app, jwks=KEY.key_set)
    settle(app, client, agreed=("openid",))
    return service


def ask(client: FlaskClient, service: Service, token: str, **beside: str) -> TestResponse:
    """What is asked by a request object and as little as OAuth allows beside it."""
    said = {"client_id": service.client_id, "request": token, "redirect_uri": service.redirect_uri}
    return client.get("/authorize", query_string=said | beside)


def refusal(client: FlaskClient, service: Service, token: str, **beside: str) -> dict[str, str]:
    back = answer(ask(client, service, token, **beside))
    assert "code" not in back
    return back


def push(client: FlaskClient, service: Service, token: str, **beside: str) -> TestResponse:
    return client.post("/par", data={"request": token} | beside, headers=service.basic())


# What is inside counts


def test_a_signed_request_is_answered_with_a_code(client: FlaskClient, signer: Service) -> None:
    back = answer(ask(client, signer, request_object(signer)))
    assert (back["state"], back["iss"]) == ("é&state=1", "https://broker.test")
    assert signer.redeem(client, back["code"]).status_code == 200


def test_what_stands_outside_counts_for_nothing(client: FlaskClient, signer: Service) -> None:
    """RFC 9101 §6.3: parameters are taken from the request object only."""
    beside = {"state": "outside", "scope": "x", "prompt": "login", "nonce": "outside"}
    back = answer(ask(client, signer, request_object(signer), **beside))
    assert back["state"] == "é&state=1"
    assert "code" in back


def test_what_is_missing_inside_is_not_taken_from_outside(
    client: FlaskClient, signer: Service
) -> None:
    token = request_object(signer, code_challenge=None)
    challenge = signer.arguments()["code_challenge"]
    assert refusal(client, signer, token, code_challenge=challenge)["error"] == "invalid_request"


def test_an_address_inside_that_is_not_registered_is_not_redirected_to(
    client: FlaskClient, signer: Service
) -> None:
    token = request_object(signer, redirect_uri="https://evil.test/")
    assert is_page_of_refusal(ask(client, signer, token))


def test_json_inside_is_json_and_not_text_of_json(client: FlaskClient, signer: Service) -> None:
    """RFC 9101 §4: `claims` is an object there, and `max_age` a number."""
    wish = {"id_token": {"sub": {"value": "nobody"}}}
    token = request_object(signer, claims=wish, max_age=100, prompt="none")
    assert refusal(client, signer, token)["error"] == "login_required"
    assert "code" in answer(ask(client, signer, request_object(signer, claims={}, max_age=100)))


def test_resources_are_several_inside_too(client: FlaskClient, signer: Service) -> None:
    token = request_object(signer, resource=["https://api.test/", "https://other.test/"])
    assert refusal(client, signer, token)["error"] == "invalid_target"


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_every_algorithm_that_is_advertised_will_do(
    app: Flask, client: FlaskClient, alg: str
) -> None:
    key = a_key(alg)
    service = register(app, jwks=key.key_set)
    settle(app, client, agreed=("openid",))
    found = client.get("/.well-known/openid-configuration").get_json()
    assert alg in found["request_object_signing_alg_values_supported"]
    assert "code" in answer(ask(client, service, request_object(service, key)))


@pytest.mark.parametrize("typ", [*sorted(TYPES), "JWT", "OAuth-Authz-Req+JWT", None])
def test_the_header_may_name_its_type_or_not(
    client: FlaskClient, signer: Service, typ: str | None
) -> None:
    token = KEY.sign(object_claims(signer), typ=typ)
    assert "code" in answer(ask(client, signer, token))


# Refusals


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "other"},
        {"iss": None},
        {"aud": "https://elsewhere.test"},
        {"aud": "https://broker.test/token"},
        {"aud": None},
        {"aud": []},
        {"client_id": "other"},
        {"sub": "service"},
        {"request": "x"},
        {"request_uri": "https://service.test/r"},
        {"exp": AT - 30},
        {"exp": AT + 3631},
        {"exp": "soon"},
        {"exp": True},
        {"exp": -1},
        {"exp": 1 << 60},
        {"nbf": AT + 31},
        {"nbf": AT - 3631},
        {"nbf": "now"},
        {"iat": []},
        {"jti": ""},
        {"jti": 7},
    ],
    ids=str,
)
def test_an_envelope_that_is_not_for_here_and_now_is_invalid(
    client: FlaskClient, signer: Service, changed: dict[str, Any]
) -> None:
    back = refusal(client, signer, request_object(signer, **changed))
    assert back["error"] == "invalid_request_object"
    assert back["error_description"].isascii()


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": AT - 29},
        {"exp": AT + 3630},
        {"nbf": AT + 30},
        {"nbf": AT - 3630},
        {"aud": ["https://broker.test", "https://elsewhere.test"]},
        {"exp": None, "nbf": None},
        {"client_id": None},
    ],
    ids=str,
)
def test_an_envelope_within_the_limits_is_opened(
    client: FlaskClient, signer: Service, changed: dict[str, Any]
) -> None:
    assert "code" in answer(ask(client, signer, request_object(signer, **changed)))


def test_another_kind_of_token_is_no_request(client: FlaskClient, signer: Service) -> None:
    token = KEY.sign(object_claims(signer), typ="client-authentication+jwt")
    assert refusal(client, signer, token)["error"] == "invalid_request_object"


def test_anothers_key_does_not_sign_for_the_client(client: FlaskClient, signer: Service) -> None:
    back = refusal(client, signer, request_object(signer, a_key()))
    assert back["error"] == "invalid_request_object"


def test_an_unsigned_object_is_refused(client: FlaskClient, signer: Service) -> None:
    _, payload, _ = request_object(signer).split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for token in (f"{header}.{payload}.", f"{header}.{payload}.AA"):
        assert refusal(client, signer, token)["error"] == "invalid_request_object"


def test_an_encrypted_object_is_refused_and_none_is_advertised(
    client: FlaskClient, signer: Service
) -> None:
    key = ECKey.generate_key("P-256")
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT"}
    token = jwe.encrypt_compact(header, request_object(signer), key)
    assert refusal(client, signer, token)["error"] == "invalid_request_object"
    found = client.get("/.well-known/openid-configuration").get_json()
    assert not {name for name in found if name.startswith("request_object_encryption")}


def test_only_the_algorithm_that_was_registered_will_do(app: Flask, client: FlaskClient) -> None:
    key, weak = a_key("PS256"), ClientKey(a_key("RS256").private, "RS256")
    service = register(app, jwks=key.key_set, request_object_signing_alg="PS256")
    settle(app, client, agreed=("openid",))
    assert "code" in answer(ask(client, service, request_object(service, key)))
    back = refusal(client, service, request_object(service, weak))
    assert back["error"] == "invalid_request_object"


def test_a_client_without_a_key_is_told_that_it_has_none(app: Flask, client: FlaskClient) -> None:
    service = register(app)
    assert refusal(client, service, request_object(service))["error"] == "request_not_supported"


def test_two_objects_are_refused(client: FlaskClient, signer: Service) -> None:
    token = request_object(signer)
    pairs = [*signer.arguments().items(), ("request", token), ("request", token)]
    back = answer(client.get("/authorize", query_string=pairs))
    assert back["error"] == "invalid_request"


def test_an_object_and_an_address_exclude_one_another(client: FlaskClient, signer: Service) -> None:
    back = refusal(client, signer, request_object(signer), request_uri="https://service.test/r")
    assert back["error"] == "invalid_request"


def test_a_client_that_must_sign_cannot_ask_in_clear(app: Flask, client: FlaskClient) -> None:
    service = register(app, jwks=KEY.key_set, require_signed_request_object=True)
    settle(app, client, agreed=("openid",))
    assert answer(service.ask(client))["error"] == "invalid_request"
    pushed = client.post("/par", data=service.arguments(), headers=service.basic())
    assert (pushed.status_code, pushed.get_json()["error"]) == (400, "invalid_request")
    assert "code" in answer(ask(client, service, request_object(service)))


def test_another_clients_object_is_refused(
    app: Flask, client: FlaskClient, signer: Service
) -> None:
    other = register(app, Service("other"), jwks=KEY.key_set)
    back = refusal(client, signer, request_object(other))
    assert back["error"] == "invalid_request_object"


def test_without_a_provable_address_the_refusal_is_a_page(
    client: FlaskClient, signer: Service
) -> None:
    said = {"client_id": signer.client_id, "request": request_object(signer, iss="other")}
    assert is_page_of_refusal(client.get("/authorize", query_string=said))


# Used once


def test_an_object_with_a_jti_is_good_once(client: FlaskClient, signer: Service) -> None:
    token = request_object(signer, jti="one")
    assert "code" in answer(ask(client, signer, token))
    assert refusal(client, signer, token)["error"] == "invalid_request_object"
    assert "code" in answer(ask(client, signer, request_object(signer, jti="two")))


def test_a_jti_is_remembered_for_as_long_as_its_object_is_good(
    client: FlaskClient, signer: Service, clock: StoppedClock
) -> None:
    token = request_object(signer, jti="one")
    assert "code" in answer(ask(client, signer, token))
    clock.forward(seconds=329)
    back = refusal(client, signer, token)
    assert back["error_description"] == "the request object was used before"
    clock.forward(seconds=1)
    assert "exp is past" in refusal(client, signer, token)["error_description"]


def test_of_many_at_once_one_is_opened(disk_app: Flask) -> None:
    service = register(disk_app, jwks=KEY.key_set)
    token = request_object(service, jti="one")
    statuses = at_once(disk_app, lambda c: push(c, service, token), times=8)
    assert sorted(statuses) == [201] + [400] * 7


# Pushed: RFC 9126 §3


def test_a_pushed_object_is_opened_by_its_uri(client: FlaskClient, signer: Service) -> None:
    response = push(client, signer, request_object(signer), state="outside")
    assert response.status_code == 201, response.text
    back = answer(open_pushed(client, signer, response.get_json()["request_uri"]))
    assert back["state"] == "é&state=1"


@pytest.mark.parametrize(
    "changed", [{"iss": "other"}, {"aud": "x"}, {"exp": AT - 60}, {"request_uri": "urn:x"}], ids=str
)
def test_a_faulty_object_is_refused_when_it_is_pushed(
    client: FlaskClient, signer: Service, changed: dict[str, Any]
) -> None:
    response = push(client, signer, request_object(signer, **changed))
    assert response.status_code == 400
    assert response.get_json()["error"] in {"invalid_request_object", "invalid_request"}


def test_nobody_pushes_what_another_client_signed(
    app: Flask, client: FlaskClient, signer: Service
) -> None:
    other = register(app, Service("other"), jwks=KEY.key_set)
    response = push(client, signer, request_object(other))
    assert response.get_json()["error"] == "invalid_request_object"


def test_a_pushed_object_still_needs_its_client_to_prove_itself(
    client: FlaskClient, signer: Service
) -> None:
    form = {"request": request_object(signer), "client_id": signer.client_id}
    assert client.post("/par", data=form).status_code == 401


# By an address that was registered: OpenID Connect Core §6.2


@pytest.fixture
def tools(tools: Tools) -> Tools:
    """Tools whose network is this machine."""
    return replace(tools, outbound=servers.outbound())


@pytest.fixture
def published(app: Flask, client: FlaskClient) -> Iterator[tuple[Service, str]]:
    """A service whose request object lies at an address, and the address."""
    service = Service()
    body = request_object(service).encode()
    with servers.serving(servers.document(body, OBJECT)) as origin:
        address = f"{origin}/request.jwt"
        register(app, jwks=KEY.key_set, request_uris=[address])
        settle(app, client, agreed=("openid",))
        yield service, address


def by_address(client: FlaskClient, service: Service, address: str) -> dict[str, str]:
    said = {"client_id": service.client_id, "redirect_uri": CALLBACK, "request_uri": address}
    return answer(client.get("/authorize", query_string=said))


def test_an_object_at_a_registered_address_is_fetched(
    client: FlaskClient, published: tuple[Service, str]
) -> None:
    assert "code" in by_address(client, *published)


def test_an_address_that_is_not_registered_is_never_asked(
    client: FlaskClient, published: tuple[Service, str]
) -> None:
    """RFC 9101 §10.4: otherwise anybody could send us anywhere."""
    asked: list[str] = []
    service, _ = published
    with servers.serving(lambda handler: asked.append(handler.path)) as origin:
        back = by_address(client, service, f"{origin}/request.jwt")
    assert (back["error"], asked) == ("invalid_request_uri", [])


def test_without_any_registered_address_none_is_supported(
    client: FlaskClient, signer: Service
) -> None:
    back = by_address(client, signer, "https://service.test/r")
    assert back["error"] == "request_uri_not_supported"


def test_the_fragment_is_the_hash_of_what_was_meant(
    app: Flask, client: FlaskClient, published: tuple[Service, str]
) -> None:
    service, address = published
    hashed = hashlib.sha256(request_object(service).encode()).digest()
    other = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
    # ES256 signatures differ each time: this is the hash of another document.
    assert by_address(client, service, f"{address}#{other}")["error"] == "invalid_request_uri"
    assert "code" in by_address(client, service, f"{address}#version-2")


def test_the_right_hash_in_the_fragment_is_accepted(app: Flask, client: FlaskClient) -> None:
    service = Service()
    body = request_object(service).encode()
    hashed = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    with servers.serving(servers.document(body, OBJECT)) as origin:
        register(app, jwks=KEY.key_set, request_uris=[f"{origin}/r"])
        settle(app, client, agreed=("openid",))
        assert "code" in by_address(client, service, f"{origin}/r#{hashed}")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b"x" * 20_000, OBJECT, 200), (b"{}", "text/html", 200), (b"gone", OBJECT, 404)],
    ids=["too long", "another type", "not there"],
)
def test_what_cannot_be_read_there_is_invalid(
    app: Flask, client: FlaskClient, body: bytes, kind: str, status: int
) -> None:
    with servers.serving(servers.document(body, kind, status)) as origin:
        service = register(app, jwks=KEY.key_set, request_uris=[f"{origin}/r"])
        back = by_address(client, service, f"{origin}/r")
    assert back["error"] == "invalid_request_uri"


def test_what_lies_there_and_is_no_object_is_invalid(app: Flask, client: FlaskClient) -> None:
    with servers.serving(servers.document("n’importe".encode(), OBJECT)) as origin:
        service = register(app, jwks=KEY.key_set, request_uris=[f"{origin}/r"])
        assert by_address(client, service, f"{origin}/r")["error"] == "invalid_request_object"


def test_two_addresses_are_refused(client: FlaskClient, published: tuple[Service, str]) -> None:
    service, address = published
    said = [("client_id", service.client_id), ("redirect_uri", CALLBACK)]
    said += [("request_uri", address), ("request_uri", address)]
    assert answer(client.get("/authorize", query_string=said))["error"] == "invalid_request"


def test_a_request_in_clear_on_the_way_here_is_not_fetched(app: Flask, client: FlaskClient) -> None:
    asked: list[str] = []
    with servers.serving(lambda handler: asked.append(handler.path), tls=False) as origin:
        service = register(app, jwks=KEY.key_set, request_uris=[f"{origin}/r"])
        back = by_address(client, service, f"{origin}/r")
    assert (back["error"], asked) == ("invalid_request_uri", [])


def test_an_address_cannot_be_pushed(client: FlaskClient, published: tuple[Service, str]) -> None:
    service, address = published
    data = {"request_uri": address}
    response = client.post("/par", data=data, headers=service.basic())
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


# Whatever comes


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=10)
    | st.floats(allow_nan=False, allow_infinity=False)
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_changed_byte_is_answered_with_a_code_or_5xx(
    client: FlaskClient, signer: Service, data: st.DataObject
) -> None:
    token = request_object(signer)
    at = data.draw(st.integers(0, len(token) - 1))
    put = data.draw(st.text(max_size=3))
    changed = (token[:at] + put + token[at + 1 :]).encode("utf-8", "ignore").decode()
    response = ask(client, signer, changed)
    assert response.status_code < 500
    if changed != token and response.location:
        assert "code=" not in response.location


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    said=st.dictionaries(
        st.sampled_from(
            ["aud", "iss", "exp", "nbf", "jti", "sub", "scope", "state", "claims", "max_age",
             "response_mode", "redirect_uri", "resource", "authorization_details", "client_id",
             "prompt", "acr_values", "id_token_hint", "registration", "foo"]
        ),
        SCALARS
        | st.lists(SCALARS, max_size=3)
        | st.dictionaries(st.text(max_size=5), SCALARS | st.lists(SCALARS, max_size=3), max_size=3),
        max_size=5,
    )
)  # fmt: skip
def test_whatever_a_client_signs_is_never_answered_with_5xx(
    client: FlaskClient, signer: Service, said: dict[str, Any]
) -> None:
    token = request_object(signer, **said)
    assert ask(client, signer, token).status_code < 500
    assert push(client, signer, token).status_code < 500
