"""ID tokens and userinfo that only their service can read (Core §10.2): read by other hands."""

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwe
from joserfc.jwk import RSAKey

from broker import jose
from broker.web.tools import Tools
from tests import servers
from tests.conftest import _KEYS, ISSUER, StoppedClock
from tests.jose.test_cipher import EC, RSA, decrypted, header_of
from tests.service import Service, register, settle

WAYS = [
    (alg, enc)
    for alg in ("ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256")
    for enc in ("A256GCM", "A128GCM")
]
SET = {"keys": [key.public | {"use": "enc"} for key in (EC, RSA)]}


@pytest.fixture
def tools(tools: Tools) -> Tools:
    """Tools whose network is this machine."""
    return replace(tools, outbound=servers.outbound())


def secret(app: Flask, client: FlaskClient, **said: Any) -> Service:
    """A service that registered so, whose person has agreed."""
    service = register(app, **({"jwks": SET} | said))
    settle(app, client, agreed=("openid", "offline_access"))
    return service


def id_token(alg: str, enc: str = "A256GCM") -> dict[str, str]:
    return {"id_token_encrypted_response_alg": alg, "id_token_encrypted_response_enc": enc}


def userinfo(alg: str, **more: str) -> dict[str, str]:
    return {
        "userinfo_encrypted_response_alg": alg,
        "userinfo_encrypted_response_enc": "A256GCM",
    } | more


def asked(client: FlaskClient, token: str) -> Any:
    return client.get("/userinfo", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(("alg", "enc"), WAYS)
def test_an_id_token_is_signed_and_then_encrypted(
    app: Flask, client: FlaskClient, alg: str, enc: str
) -> None:
    service = secret(app, client, **id_token(alg, enc))
    told = service.tokens(client)
    header = header_of(told["id_token"])
    assert (header["alg"], header["enc"], header["cty"]) == (alg, enc, "JWT")
    inner = decrypted(told["id_token"]).decode()
    claims = jose.verify(inner, _KEYS).claims
    assert (claims["aud"], claims["nonce"]) == ("service", "n-1")
    assert claims["at_hash"] == jose.half_hash(told["access_token"], "ES256")


def test_a_second_library_reads_it_too(app: Flask, client: FlaskClient) -> None:
    service = secret(app, client, **id_token("RSA-OAEP-256"))
    token = service.tokens(client)["id_token"]
    assert isinstance(RSA.private, rsa.RSAPrivateKey)
    pem = RSA.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    names = ["RSA-OAEP-256", "A256GCM"]
    opened = jwe.decrypt_compact(token, RSAKey.import_key(pem), algorithms=names)
    assert opened.plaintext == decrypted(token)


def test_a_refreshed_id_token_is_encrypted_too(app: Flask, client: FlaskClient) -> None:
    service = secret(app, client, **id_token("ECDH-ES"))
    token = service.tokens(client, scope="openid offline_access")["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    answers = [
        client.post("/token", data=form, headers=service.basic()).get_json() for _ in range(2)
    ]
    inner = [decrypted(answer["id_token"]) for answer in answers]
    assert inner[0] == inner[1]  # the very same answer to a retry, in another envelope


def test_who_did_not_ask_gets_it_as_it_is(app: Flask, client: FlaskClient) -> None:
    service = secret(app, client)
    assert service.tokens(client)["id_token"].count(".") == 2


def test_userinfo_is_encrypted_alone_or_signed_before(app: Flask, client: FlaskClient) -> None:
    service = secret(app, client, **userinfo("ECDH-ES"))
    response = asked(client, service.tokens(client)["access_token"])
    assert response.mimetype == "application/jwt"
    assert "cty" not in header_of(response.text)
    assert list(json.loads(decrypted(response.text))) == ["sub"]


def test_signed_userinfo_is_encrypted_around_its_signature(app: Flask, client: FlaskClient) -> None:
    service = secret(app, client, **userinfo("RSA-OAEP-256", userinfo_signed_response_alg="ES256"))
    response = asked(client, service.tokens(client)["access_token"])
    assert header_of(response.text)["cty"] == "JWT"
    claims = jose.verify(decrypted(response.text).decode(), _KEYS).claims
    assert (claims["iss"], claims["aud"]) == (ISSUER, "service")


def test_userinfo_that_is_only_signed_stays_readable(app: Flask, client: FlaskClient) -> None:
    service = secret(app, client, userinfo_signed_response_alg="RS256")
    response = asked(client, service.tokens(client)["access_token"])
    assert response.mimetype == "application/jwt"
    assert set(jose.verify(response.text, _KEYS).claims) == {"sub", "iss", "aud"}


@pytest.fixture
def published() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a key set, and what lies there now."""
    bodies = [b'{"keys": []}']

    def last(handler: BaseHTTPRequestHandler) -> None:
        servers.document(bodies[-1])(handler)

    with servers.serving(last) as origin:
        yield f"{origin}/jwks", bodies


def test_keys_are_fetched_and_a_new_one_is_looked_for(
    app: Flask, client: FlaskClient, clock: StoppedClock, published: tuple[str, list[bytes]]
) -> None:
    address, bodies = published
    service = secret(app, client, jwks=None, jwks_uri=address, **id_token("ECDH-ES"))
    response = service.redeem(client, service.code(client))
    assert (response.status_code, response.get_json()["error"]) == (503, "server_error")
    bodies.append(json.dumps(SET).encode())
    clock.forward(seconds=30)
    assert decrypted(service.tokens(client)["id_token"])


def test_both_are_advertised_as_they_are(client: FlaskClient) -> None:
    found = client.get("/.well-known/openid-configuration").get_json()
    for kind in ("id_token", "userinfo"):
        algs = found[f"{kind}_encryption_alg_values_supported"]
        encs = found[f"{kind}_encryption_enc_values_supported"]
        assert {(alg, enc) for alg in algs for enc in encs} == set(WAYS)
