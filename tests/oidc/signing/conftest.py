"""The house over a real folder of keys, looked at while it runs."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker import jose, keyring
from broker.app import create_app
from broker.db import db
from broker.keyring import HeldKeyring, Unlock
from broker.settings import KeysSettings, Settings
from broker.web.tools import Tools
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.service import Service, register, settle

SINCE = NOON - timedelta(days=1)


@dataclass
class House:
    """The running application, its folder, and a service whose person has agreed."""

    app: Flask
    client: FlaskClient
    service: Service
    folder: Path
    clock: StoppedClock
    unlock: Unlock

    def id_token(self, **asked: str) -> str:
        token: str = self.service.tokens(self.client, **asked)["id_token"]
        return token

    def kid(self) -> str:
        """The name of the key that signed an ID token of this moment."""
        return kid_of(self.id_token())

    def published(self) -> dict[str, Any]:
        """What a relying service reads at /jwks now."""
        found: dict[str, Any] = self.client.get("/jwks").get_json()
        return found

    def kids(self, alg: str = "ES256") -> list[str]:
        return [key["kid"] for key in self.published()["keys"] if key["alg"] == alg]

    def rotate(self, since: datetime, alg: str = "ES256") -> Path:
        return keyring.rotate(self.folder, alg, since, self.unlock)

    def token_by(self, alg: str) -> str:
        """An ID token of another service, which registered this algorithm."""
        mine = Service(f"of-{alg}")
        register(self.app, mine, id_token_signed_response_alg=alg)
        settle(self.app, self.client, agreed=("openid",), service=mine.client_id)
        return str(mine.tokens(self.client)["id_token"])


def kid_of(token: str) -> str:
    header, _, _ = token.split(".")
    return str(json.loads(base64.urlsafe_b64decode(header + "=="))["kid"])


def verifies(token: str, jwks: dict[str, Any], alg: str = "ES256") -> bool:
    """Whether a relying service that holds this key set believes the token."""
    try:
        jose.verify_with(token, jwks, algorithms=[alg], typ=None)
    except jose.SignatureRejected:
        return False
    return True


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of every algorithm; made once, because RSA is slow."""
    folder = tmp_path_factory.mktemp("made")
    keyring.init(folder, SINCE)
    return folder


@contextmanager
def opened(tools: Tools, clock: StoppedClock, folder: Path, keys: KeysSettings) -> Iterator[House]:
    """The application over the folder."""
    settings = Settings(issuer=ISSUER, database_url="sqlite://", keys_dir=folder, keys=keys)
    unlock = keyring.unlock(keys)
    held = HeldKeyring(folder, clock, keys.retire_after, unlock)
    app = create_app(replace(tools, settings=settings, keys=held))
    app.testing = True
    with app.app_context():
        db.create_all()
    client, service = app.test_client(), register(app)
    settle(app, client, agreed=("openid", "offline_access"))
    yield House(app, client, service, folder, clock, unlock)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def house(tools: Tools, clock: StoppedClock, made: Path, tmp_path: Path) -> Iterator[House]:
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with opened(tools, clock, tmp_path, KeysSettings()) as found:
        yield found
