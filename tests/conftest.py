"""The tests' house: a real application, a real database, a stopped clock, counted chance."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from flask import Flask
from flask.testing import FlaskClient

from broker.app import create_app
from broker.db import db
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import Keyring, SigningKey, generate
from broker.settings import Settings
from broker.web.tools import Tools

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ISSUER = "https://broker.test"

_KEYS = Keyring(
    signing=tuple(
        SigningKey(alg, NOON - timedelta(days=1), generate(alg)) for alg in ("ES256", "RS256")
    ),
    checkpoint=ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    wrapping=b"w" * 32,
    pairwise=b"p" * 32,
    browser=b"b" * 32,
)


class StoppedClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: int) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return _KEYS


@pytest.fixture
def tools(clock: StoppedClock) -> Tools:
    draws = count(1)
    return Tools(
        settings=Settings(issuer=ISSUER, database_url="sqlite://"),
        clock=clock,
        random=lambda n: next(draws).to_bytes(n, "big"),
        keyring=_KEYS,
        policy=read_policy(SHIPPED),
    )


@pytest.fixture
def app(tools: Tools) -> Iterator[Flask]:
    app = create_app(tools)
    app.testing = True
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
