"""Another Miftah as the provider: a test system of its own, where test persons sign in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient

from broker import jose
from broker.keyring import Keyring
from broker.outbound import Answer, Outbound
from tests.service import Service, register
from tests.verifiers.upstream.peer import OURS

CLIENT_ID = "the-other-broker"

SCHEME = """
enabled = true
protocol = "oidc"
framework = "{up}/trust-framework"
countries = ["FR"]
identifier = "sub"
[name]
fr = "L’autre Miftah"
ar = "مفتاح الآخر"
en = "The other Miftah"
[about]
fr = "Vous avez besoin d’un accès à l’autre Miftah."
ar = "تحتاجون إلى حساب في مفتاح الآخر."
en = "You need an access to the other Miftah."
[[levels]]
says = "{up}/acr/basic"
means = "low"
evidence = "notified_low"
[[levels]]
says = "{up}/acr/verified-phr"
means = "substantial"
evidence = "notified_substantial"
[claims]
family_name = "family_name"
given_name = "given_name"
birthdate = "birthdate"
gender = "gender"
[oidc]
issuer = "{up}"
client_id = "the-other-broker"
scopes = ["openid", "profile"]
pushed_authorization_request_endpoint = "{up}/par"
pushed = true
request_object = true
max_age = 3600
id_token = "signed"
userinfo = "signed"
decryption_key_files = ["ec.pem"]
at_hash = true
issuer_parameter = "demanded"
"""


def written(folder: Path) -> Path:
    """The folder of our keys, with the one that the other Miftah encrypts to."""
    folder.mkdir(exist_ok=True)
    (folder / "ec.pem").write_bytes(OURS.as_pem(private=True))
    return folder


def registered(app: Flask, keyring: Keyring, redirect_uri: str) -> Service:
    """Us, as a client of the other Miftah: with a key, no secret."""
    public = {**OURS.as_dict(private=False), "alg": "ECDH-ES+A256KW", "use": "enc"}
    jwks: Mapping[str, Any] = {"keys": [*jose.jwks(keyring)["keys"], public]}
    return register(
        app,
        Service(CLIENT_ID, "", redirect_uri),
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="ES256",
        request_object_signing_alg="ES256",
        require_pushed_authorization_requests=True,
        id_token_encrypted_response_alg="ECDH-ES+A256KW",
        id_token_encrypted_response_enc="A256GCM",
        userinfo_signed_response_alg="ES256",
        secret=None,
        jwks=jwks,
        sector=urlsplit(redirect_uri).hostname,
    )


class InProcess(Outbound):
    """The network, on which there is nothing but the other Miftah."""

    def to(self, client: FlaskClient, origin: str) -> "InProcess":
        object.__setattr__(self, "_client", (client, origin))
        return self

    def fetch(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 64 * 1024,  # noqa: ARG002  as Outbound
    ) -> Answer:
        client, origin = self._client  # type: ignore[attr-defined]
        assert url.startswith(f"{origin}/"), url
        method = "GET" if form is None else "POST"
        answer = client.open(
            url.removeprefix(origin), method=method, base_url=origin, data=form, headers=headers
        )
        kind = answer.headers["Content-Type"]
        return Answer(answer.status_code, kind, False, answer.data)
