"""tls_client_auth and self_signed_tls_client_auth behind a proxy (RFC 8705 §2)."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from broker.app import create_app
from broker.db import db
from broker.oidc.client_certificate import client_certificate, distinguished_name
from broker.oidc.client_keys import PATIENCE
from broker.settings import Settings, TlsSettings
from broker.web.tools import Tools
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.oidc.test_client_assertion import Publisher
from tests.servers import outbound, serving
from tests.service import register
from tests.signing import ClientKey, a_key

HEADER, VERIFIED = "X-Client-Certificate", "X-Client-Verified"
DN = "CN=service,OU=Desk\\, first,O=Ministry,C=TN"
KEY = a_key()


def certificate(key: ClientKey = KEY, dn: str = DN, *names: x509.GeneralName) -> x509.Certificate:
    name = x509.Name.from_rfc4514_string(dn)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.private.public_key())
        .serial_number(1)
        .not_valid_before(NOON - timedelta(days=1))
        .not_valid_after(NOON + timedelta(days=1))
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(key.private, None if key.alg == "EdDSA" else hashes.SHA256())


NAMED = certificate(
    KEY,
    "CN=service",
    x509.DNSName("service.test"),
    x509.UniformResourceIdentifier("urn:service"),
    x509.RFC822Name("desk@service.test"),
    x509.IPAddress(ip_address("192.0.2.7")),
)


def shown(found: x509.Certificate, *, verified: str = "SUCCESS") -> dict[str, str]:
    pem = found.public_bytes(serialization.Encoding.PEM).decode()
    return {HEADER: quote(pem), VERIFIED: verified}


def behind(tools: Tools, *, proxies: int = 1, tls: Mapping[str, str] | None = None) -> Flask:
    section = {"client_certificate_header": HEADER, "client_verified_header": VERIFIED} | dict(
        tls or {}
    )
    settings = Settings(
        issuer=ISSUER,
        database_url="sqlite://",
        trusted_proxies=proxies,
        tls=TlsSettings(**section),
    )
    app = create_app(replace(tools, settings=settings, outbound=outbound()))
    app.testing = True
    with app.app_context():
        db.create_all()
    return app


@pytest.fixture
def app(tools: Tools) -> Iterator[Flask]:
    app = behind(tools)
    yield app
    with app.app_context():
        db.engine.dispose()


def ask(client: FlaskClient, headers: dict[str, str], **more: str) -> TestResponse:
    form = {"grant_type": "client_credentials", "client_id": "service"} | more
    return client.post("/token", data=form, headers=headers)


def by_name(app: Flask, **name: Any) -> None:
    register(app, secret=None, token_endpoint_auth_method="tls_client_auth", **name)


def by_own_key(app: Flask, **keys: Any) -> None:
    method = "self_signed_tls_client_auth"
    register(app, secret=None, token_endpoint_auth_method=method, **keys)


# tls_client_auth: §2.1


def test_a_verified_certificate_with_the_registered_name_proves_the_client(
    app: Flask, client: FlaskClient
) -> None:
    by_name(app, tls_client_auth_subject_dn=DN)
    assert ask(client, shown(certificate())).status_code == 200


@pytest.mark.parametrize(
    "other", ["CN=service", "CN=service,O=Ministry,C=TN", f"L=x,{DN}", "C=TN,O=Ministry,CN=service"]
)
def test_another_subject_does_not(app: Flask, client: FlaskClient, other: str) -> None:
    by_name(app, tls_client_auth_subject_dn=DN)
    assert ask(client, shown(certificate(dn=other))).status_code == 401


@pytest.mark.parametrize("verified", ["FAILED:self signed certificate", "NONE", "", "success"])
def test_a_certificate_whose_chain_the_proxy_did_not_verify_does_not(
    app: Flask, client: FlaskClient, verified: str
) -> None:
    by_name(app, tls_client_auth_subject_dn=DN)
    assert ask(client, shown(certificate(), verified=verified)).status_code == 401


@pytest.mark.parametrize(
    ("member", "right", "wrong"),
    [
        ("tls_client_auth_san_dns", "service.test", "test"),
        ("tls_client_auth_san_uri", "urn:service", "urn:other"),
        ("tls_client_auth_san_email", "desk@service.test", "service.test"),
        ("tls_client_auth_san_ip", "192.0.2.7", "192.0.2.8"),
    ],
)
def test_an_alternative_name_is_compared_exactly_and_by_its_kind(
    app: Flask, client: FlaskClient, member: str, right: str, wrong: str
) -> None:
    by_name(app, **{member: right})
    assert ask(client, shown(NAMED)).status_code == 200
    assert ask(client, shown(certificate(dn="CN=service"))).status_code == 401
    with app.app_context():
        db.drop_all()
        db.create_all()
    by_name(app, **{member: wrong})
    assert ask(client, shown(NAMED)).status_code == 401


def test_without_a_certificate_it_is_nobody(app: Flask, client: FlaskClient) -> None:
    by_name(app, tls_client_auth_subject_dn=DN)
    assert ask(client, {}).status_code == 401
    assert ask(client, {VERIFIED: "SUCCESS"}).status_code == 401


# self_signed_tls_client_auth: §2.2


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_a_self_signed_certificate_proves_the_client_whose_key_it_holds(
    app: Flask, client: FlaskClient, alg: str
) -> None:
    key = a_key(alg)
    by_own_key(app, jwks=key.key_set)
    assert ask(client, shown(certificate(key), verified="FAILED")).status_code == 200
    assert ask(client, shown(certificate(a_key()))).status_code == 401


def test_where_the_registration_names_a_certificate_it_is_that_one(
    app: Flask, client: FlaskClient
) -> None:
    registered, same_key = certificate(), certificate(dn="CN=renewed")
    der = registered.public_bytes(serialization.Encoding.DER)
    by_own_key(app, jwks={"keys": [KEY.public | {"x5c": [base64.b64encode(der).decode()]}]})
    assert ask(client, shown(registered)).status_code == 200
    assert ask(client, shown(same_key)).status_code == 401


@pytest.mark.parametrize(
    "keys", [[], [1, {}, {"kty": "oct", "k": "AA"}], [{"x5c": []}, {"x5c": ["é"]}, {"x5c": 1}]]
)
def test_keys_that_are_none_match_nothing(app: Flask, client: FlaskClient, keys: list[Any]) -> None:
    by_own_key(app, jwks={"keys": keys})
    assert ask(client, shown(certificate())).status_code == 401


def test_a_renewed_certificate_is_looked_for_at_the_jwks_uri(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    publisher, newer = Publisher(KEY), a_key()
    with serving(publisher) as url:
        by_own_key(app, jwks_uri=f"{url}/jwks")
        assert ask(client, shown(certificate())).status_code == 200
        publisher.keys = [newer]
        clock.now += PATIENCE
        assert ask(client, shown(certificate(newer))).status_code == 200
        publisher.status = 500
        clock.now += PATIENCE
        assert "jwks_uri" in ask(client, shown(certificate())).get_json()["error_description"]


# What is believed


def test_the_header_is_not_believed_without_a_trusted_proxy(tools: Tools) -> None:
    app = behind(tools, proxies=0)
    by_name(app, tls_client_auth_subject_dn=DN)
    assert ask(app.test_client(), shown(certificate())).status_code == 401


@pytest.mark.parametrize("missing", ["client_certificate_header", "client_verified_header"])
def test_a_header_that_no_setting_names_is_not_believed(tools: Tools, missing: str) -> None:
    app = behind(tools, tls={missing: ""})
    by_name(app, tls_client_auth_subject_dn=DN)
    assert ask(app.test_client(), shown(certificate())).status_code == 401


@pytest.mark.parametrize("text", ["", "x", "%", "é", "%FF", "x" * 20_000, "-----BEGIN"])
def test_a_header_that_holds_no_certificate_is_no_certificate(app: Flask, text: str) -> None:
    with app.test_request_context(headers={HEADER: text.encode("utf-8").decode("latin-1")}):
        assert client_certificate() is None


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d0209")),
        (bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030177")),
        (bytes.fromhex("550403"), bytes.fromhex("5504ff")),
    ],
    ids=["kind of key", "curve", "name"],
)
def test_a_certificate_of_unknown_parts_is_no_certificate(
    app: Flask, part: bytes, other: bytes
) -> None:
    der = certificate().public_bytes(serialization.Encoding.DER)
    assert part in der
    text = base64.encodebytes(der.replace(part, other)).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
    with app.test_request_context(headers={HEADER: quote(pem)}):
        assert client_certificate() is None


def test_the_certificate_is_there_for_binding_tokens(app: Flask) -> None:
    with app.test_request_context(headers=shown(certificate())):
        found = client_certificate()
    assert found is not None
    assert found.subject == certificate().subject


def test_a_certificate_does_not_stand_in_for_a_secret(app: Flask, client: FlaskClient) -> None:
    register(app)
    assert ask(client, shown(certificate())).status_code == 401


def test_a_secret_does_not_stand_in_for_a_certificate(app: Flask, client: FlaskClient) -> None:
    by_name(app, tls_client_auth_subject_dn=DN)
    assert ask(client, shown(certificate()), client_secret="x").status_code == 401


def test_a_client_may_show_a_certificate_beside_its_own_method(
    app: Flask, client: FlaskClient
) -> None:
    service = register(app)
    form = {"grant_type": "client_credentials"}
    headers = shown(certificate()) | service.basic()
    assert client.post("/token", data=form, headers=headers).status_code == 200


def test_a_public_client_may_show_a_certificate(app: Flask, client: FlaskClient) -> None:
    register(app, secret=None, token_endpoint_auth_method="none")
    assert ask(client, shown(certificate())).status_code == 200


@given(st.text())
def test_no_text_whatever_is_anything_but_a_name_or_none(text: str) -> None:
    assert distinguished_name(text) is None or text == "" or "=" in text


def test_the_sample_proxy_strips_both_headers_everywhere() -> None:
    sample = (Path(__file__).parents[2] / "deploy" / "nginx" / "miftah.conf").read_text("utf-8")
    servers = sample.split("\nserver {")[2:]
    assert len(servers) == 2
    for server in servers:
        assert f"proxy_set_header {HEADER} " in server
        assert f"proxy_set_header {VERIFIED} " in server
    assert f"proxy_set_header {HEADER} $ssl_client_escaped_cert;" in servers[1]
    assert f'proxy_set_header {HEADER} "";' in servers[0]
