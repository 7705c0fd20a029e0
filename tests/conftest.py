"""The tests' house: a real application, a real database, a stopped clock, counted chance."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import cast

import pytest
from alembic import command
from cryptography.hazmat.primitives.asymmetric import ed25519
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2.bccache import Bucket, BytecodeCache
from playwright.sync_api import Browser, Playwright, expect, sync_playwright
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text

from broker import entropy
from broker.app import create_app
from broker.db import db
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import ALGORITHMS, Keyring, SigningKey, generate
from broker.settings import AuditSettings, Settings
from broker.setup import alembic_config
from broker.web.tools import Tools
from tests import postgres
from tests.browsing import CHROMIUM, FLAGS

# The same examples at every run, in whatever time they take: `make fuzz` draws others.
settings.register_profile("anew", deadline=None)
settings.load_profile(os.environ.get("MIFTAH_EXAMPLES", "ci"))

POLICY = read_policy(SHIPPED)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ISSUER = "https://broker.test"

_KEYS = Keyring(
    signing=tuple(SigningKey(alg, NOON - timedelta(days=1), generate(alg)) for alg in ALGORITHMS),
    checkpoint=ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    wrapping=b"w" * 32,
    pairwise=b"p" * 32,
    browser=b"b" * 32,
)


class Compiled(BytecodeCache):
    """Templates that another application of this test process has compiled."""

    def __init__(self) -> None:
        self._kept: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get(bucket.key + bucket.checksum)

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._kept[bucket.key + bucket.checksum] = bucket.code


_COMPILED = Compiled()


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
        keys=lambda: _KEYS,
        policy=POLICY,
    )


@pytest.fixture
def app(tools: Tools) -> Iterator[Flask]:
    with in_memory(tools) as app:
        yield app


@contextmanager
def in_memory(tools: Tools) -> Iterator[Flask]:
    """The application on an empty database of its own."""
    app = create_app(tools)
    app.testing = True
    app.jinja_env.bytecode_cache = _COMPILED
    with app.app_context():
        connection = db.engine.raw_connection()
        cast("sqlite3.Connection", connection.driver_connection).deserialize(_empty())
        connection.close()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@cache
def _empty() -> bytes:
    """A database with all tables and nothing in them: thousands of tests begin with one."""
    engine = create_engine("sqlite://")
    db.metadata.create_all(engine)
    with engine.connect() as connection:
        raw = cast("sqlite3.Connection", connection.connection.driver_connection)
        return raw.serialize()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str | None]:
    """A PostgreSQL of this test process, or None where its server programs are missing."""
    if postgres.programs() is None:
        yield None
        return
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Either kind of database, empty, on disk."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/broker.sqlite3"
        return
    url = request.getfixturevalue("postgres_url")
    assert url is not None, "PostgreSQL is not installed: deploy/system-packages.sh test"
    yield url
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def lay_migrated(url: str) -> None:
    """Put what the migrations make at `url`: they run once in a test process, then it is copied."""
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).write_bytes(_migrated_file())
        return
    target = make_url(url)
    _migrated_database(target)
    name = target.database
    with _beside(target).connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE migrated"))


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as folder:
        made = Path(folder) / "migrated.sqlite3"
        command.upgrade(alembic_config(f"sqlite:///{made}"), "head")
        return made.read_bytes()


@cache
def _migrated_database(beside: URL) -> None:
    with _beside(beside).connect() as connection:
        connection.execute(text("CREATE DATABASE migrated"))
    migrated = beside.set(database="migrated").render_as_string(hide_password=False)
    command.upgrade(alembic_config(migrated), "head")


def _beside(target: URL) -> Engine:
    return create_engine(
        target.set(database="template1"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )


@pytest.fixture
def disk_app(tools: Tools, database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on either kind of database, its tables made by the migrations."""
    lay_migrated(database_url)
    audit = AuditSettings(mark=tmp_path / "record.mark")
    settings = Settings(issuer=ISSUER, database_url=database_url, audit=audit)
    app = create_app(replace(tools, settings=settings, random=entropy.system))
    app.testing = True
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for the whole process: its loop cannot be started twice in a thread."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    expect.set_options(timeout=30_000)  # ms; as `click()` and `wait_for_url()` on a busy machine
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
