"""npm openid-client, a certified relying party, against the broker as it is served."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from tests.interop.conftest import Town
from tests.service import Service, register, settle

pytestmark = pytest.mark.interop

HERE = Path(__file__).parent
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
JWKS = {
    "keys": [
        ECKey.import_key(PEM, {"kid": "client-key", "use": "sig", "alg": "ES256"}).as_dict(
            private=False
        )
    ]
}


def sign_in(town: Town, wants: str, scope: str, **metadata: Any) -> dict[str, Any]:
    """What openid-client was told; it has verified every token by itself."""
    service = register(town.app, Service(), **metadata)
    person = settle(town.app, town.app.test_client(), agreed=tuple(scope.split()))
    environ = {
        **os.environ,
        "ISSUER": town.issuer,
        "COOKIE": f"miftah_session={person.session_secret}",
        "CLIENT_ID": service.client_id,
        "CLIENT_SECRET": service.secret,
        "CLIENT_KEY": PEM,
        "CALLBACK": service.redirect_uri,
        "SCOPE": scope,
        "WITH": wants,
    }
    run = subprocess.run(
        ["node", "openid-client.mjs"],
        cwd=HERE,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def test_code_flow_with_a_secret_and_rotated_refresh_tokens(town: Town) -> None:
    told = sign_in(town, "", "openid offline_access")
    assert told["claims"]["acr"].endswith("/acr/contact")
    assert told["refreshed"] is True


def test_client_secret_post(town: Town) -> None:
    told = sign_in(town, "post", "openid", token_endpoint_auth_method="client_secret_post")
    assert told["userinfo"]["sub"] == told["claims"]["sub"]


BY_KEY: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}


def test_private_key_jwt(town: Town) -> None:
    told = sign_in(town, "private_key_jwt", "openid", **BY_KEY)
    assert told["userinfo"]["sub"] == told["claims"]["sub"]


def test_a_pushed_request(town: Town) -> None:
    sign_in(town, "par", "openid", require_pushed_authorization_requests=True)


def test_a_signed_request_by_value(town: Town) -> None:
    sign_in(town, "private_key_jwt,jar", "openid", **BY_KEY, require_signed_request_object=True)


def test_a_signed_answer(town: Town) -> None:
    sign_in(town, "jarm", "openid", authorization_signed_response_alg="ES256")


def test_signed_userinfo(town: Town) -> None:
    told = sign_in(town, "signed_userinfo", "openid", userinfo_signed_response_alg="ES256")
    assert told["userinfo"]["sub"] == told["claims"]["sub"]


def test_proof_of_possession_with_refresh(town: Town) -> None:
    told = sign_in(town, "dpop", "openid offline_access", dpop_bound_access_tokens=True)
    assert told["token_type"].lower() == "dpop"
    assert told["refreshed"] is True


def test_introspection_and_revocation(town: Town) -> None:
    told = sign_in(town, "introspect,revoke", "openid offline_access")
    assert told["introspected"]["active"] is True
    assert told["after"]["active"] is False


def test_fapi2_security_profile_and_message_signing(town: Town) -> None:
    told = sign_in(
        town,
        "private_key_jwt,par,jar,jarm,dpop",
        "openid offline_access",
        **BY_KEY,
        profile="fapi2",
        dpop_bound_access_tokens=True,
        require_signed_request_object=True,
        authorization_signed_response_alg="ES256",
    )
    assert told["token_type"].lower() == "dpop"
