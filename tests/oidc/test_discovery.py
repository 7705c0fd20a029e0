"""What a relying service reads first."""

from dataclasses import replace
from typing import Any

from authlib.oidc.discovery import OpenIDProviderMetadata
from flask import Flask
from flask.testing import FlaskClient

from broker.app import create_app
from broker.keyring import Keyring
from broker.settings import TlsSettings
from broker.web.tools import Tools
from tests.service import Person, Service, answer


def test_the_metadata_is_valid_for_an_independent_reader(client: FlaskClient) -> None:
    document = client.get("/.well-known/openid-configuration").get_json()
    OpenIDProviderMetadata(document).validate()


def test_every_endpoint_that_is_named_is_served(app: Flask, client: FlaskClient) -> None:
    document = client.get("/.well-known/openid-configuration").get_json()
    routes = {rule.rule for rule in app.url_map.iter_rules()}
    for name, value in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith("https://broker.test/")
            assert value.removeprefix("https://broker.test") in routes, name


def test_the_weakest_acr_stands_first_and_all_are_named(client: FlaskClient) -> None:
    values = client.get("/.well-known/openid-configuration").get_json()["acr_values_supported"]
    assert values[0] == "https://broker.test/acr/contact"
    assert values[-1] == "https://broker.test/acr/official-phrh"


def test_discovery_and_keys_are_cacheable_and_answer_304(client: FlaskClient) -> None:
    for path in ("/.well-known/openid-configuration", "/jwks"):
        first = client.get(path)
        assert first.headers["Cache-Control"] == "public, max-age=300"
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_no_private_part_of_a_key_is_published(client: FlaskClient) -> None:
    for key in client.get("/jwks").get_json()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert {"kid", "use", "alg", "kty"} <= set(key)


def found(client: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/.well-known/openid-configuration").get_json()
    return document


def test_every_response_mode_that_is_named_is_answered_in(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    for mode in found(client)["response_modes_supported"]:
        response = service.ask(client, response_mode=mode)
        if mode.startswith("form_post"):
            assert response.status_code == 200
            assert 'method="post"' in response.text
        else:
            assert ("response" if "jwt" in mode else "code") in answer(response)


def test_every_way_of_proving_a_client_is_for_every_door_but_none_for_introspection(
    client: FlaskClient,
) -> None:
    said = found(client)
    methods = set(said["token_endpoint_auth_methods_supported"])
    assert "none" in methods
    assert set(said["revocation_endpoint_auth_methods_supported"]) == methods
    assert set(said["introspection_endpoint_auth_methods_supported"]) == methods - {"none"}


def test_certificates_are_named_only_where_a_proxy_brings_them(
    tools: Tools, client: FlaskClient
) -> None:
    bare = found(client)
    assert bare["tls_client_certificate_bound_access_tokens"] is False
    assert "mtls_endpoint_aliases" not in bare
    assert not {m for m in bare["token_endpoint_auth_methods_supported"] if "tls" in m}
    tls = TlsSettings(
        client_certificate_header="X-Client-Certificate",
        client_verified_header="X-Client-Verified",
        mtls_origin="https://mtls.broker.test",
    )
    settings = tools.settings.model_copy(update={"tls": tls, "trusted_proxies": 1})
    behind = found(create_app(replace(tools, settings=settings)).test_client())
    assert behind["tls_client_certificate_bound_access_tokens"] is True
    aliases = behind["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == "https://mtls.broker.test/token"
    assert set(aliases) <= set(behind)
    assert {m for m in behind["token_endpoint_auth_methods_supported"] if "tls" in m}


def test_algorithms_are_those_that_a_key_signs_with(tools: Tools, keyring: Keyring) -> None:
    few = replace(keyring, signing=tuple(k for k in keyring.signing if k.alg == "RS256"))
    said = found(create_app(replace(tools, keys=lambda: few)).test_client())
    for name in ("id_token", "userinfo", "introspection", "authorization"):
        assert said[f"{name}_signing_alg_values_supported"] == ["RS256"], name


def test_nothing_that_was_left_out_on_purpose_is_named(client: FlaskClient) -> None:
    said = found(client)
    assert said["response_types_supported"] == ["code"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert not {"implicit", "password"} & set(said["grant_types_supported"])
    every = {v for values in said.values() if isinstance(values, list) for v in values}
    assert not {"HS256", "RSA1_5", "plain", "client_secret_jwt"} & every
    for name, values in said.items():
        # `none` is a way for public clients to come, and a prompt; never an algorithm.
        if "alg" in name:
            assert "none" not in values, name
    assert not {"check_session_iframe", "frontchannel_logout_supported"} & set(said)


def test_every_switch_that_is_on_is_kept(client: FlaskClient) -> None:
    """Each of them has tests of its own; here nobody may forget that it was promised."""
    promised = {name for name, value in found(client).items() if value is True}
    assert promised == {
        "authorization_response_iss_parameter_supported",
        "backchannel_logout_session_supported",
        "backchannel_logout_supported",
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "require_request_uri_registration",
        "verified_claims_supported",
    }
