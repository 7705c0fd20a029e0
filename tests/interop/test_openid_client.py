"""npm openid-client, a certified relying party, against the broker as it is served."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from joserfc.jwk import ECKey

from broker import clock, entropy
from broker.app import create_app
from broker.db import db
from broker.settings import Settings
from broker.web.tools import Tools
from tests.browsing import serve
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


@pytest.fixture
def town(tools: Tools, tmp_path: Path) -> Iterator[tuple[str, Flask]]:
    made: list[Flask] = []

    def build(origin: str) -> Flask:
        settings = Settings(issuer=origin, database_url=f"sqlite:///{tmp_path}/broker.sqlite3")
        real = replace(tools, settings=settings, clock=clock.utcnow, random=entropy.system)
        made.append(create_app(real))
        with made[0].app_context():
            db.create_all()
        return made[0]

    with serve(build) as origin:
        yield origin, made[0]
    with made[0].app_context():
        db.session.remove()
        db.engine.dispose()


def sign_in(town: tuple[str, Flask], wants: str, scope: str, **metadata: Any) -> dict[str, Any]:
    """What openid-client was told; it has verified every token by itself."""
    issuer, app = town
    service = register(app, Service(), **metadata)
    person = settle(app, app.test_client(), agreed=tuple(scope.split()))
    environ = {
        **os.environ,
        "ISSUER": issuer,
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


def test_code_flow_with_a_secret_and_rotated_refresh_tokens(town: tuple[str, Flask]) -> None:
    told = sign_in(town, "", "openid offline_access")
    assert told["claims"]["acr"].endswith("/acr/contact")
    assert told["refreshed"] is True


def test_client_secret_post(town: tuple[str, Flask]) -> None:
    told = sign_in(town, "post", "openid", token_endpoint_auth_method="client_secret_post")
    assert told["userinfo"]["sub"] == told["claims"]["sub"]
