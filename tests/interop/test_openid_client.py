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
