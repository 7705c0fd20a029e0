"""Alive and ready: cheap, silent, and honest about which part is missing."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from broker.app import create_app
from broker.audit import checkpoint
from broker.audit.log import record
from broker.audit.models import AuditEntry
from broker.db import db, reading, transaction
from broker.keyring import Keyring
from broker.settings import AuditSettings, Settings
from broker.setup import alembic_config
from broker.web.tools import Tools
from tests.conftest import ISSUER, NOON


def ask(app: Flask, path: str = "/readyz") -> TestResponse:
    return app.test_client().get(path, base_url=ISSUER)


def execute(app: Flask, *statements: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def missing(app: Flask) -> list[str]:
    answer = ask(app)
    assert answer.status_code == 503
    assert set(answer.get_json()) == {"status", "parts"}
    parts: list[str] = answer.get_json()["parts"]
    return parts


@pytest.fixture
def migrated(tools: Tools, tmp_path: Path) -> Iterator[Flask]:
    """A database in memory that says that it is migrated, and a mark beside it."""
    audit = AuditSettings(mark=tmp_path / "record.mark")
    settings = Settings(issuer=ISSUER, database_url="sqlite://", audit=audit)
    app = create_app(replace(tools, settings=settings))
    head = ScriptDirectory.from_config(alembic_config("sqlite://")).get_current_head()
    with app.app_context():
        db.create_all()
    execute(
        app,
        "CREATE TABLE alembic_version (version_num VARCHAR(32))",
        f"INSERT INTO alembic_version VALUES ('{head}')",  # noqa: S608  our own
    )
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def sign(app: Flask) -> Flask:
    """The same, with a checkpoint over three entries."""
    with app.app_context(), transaction() as tx:
        for _ in range(3):
            record(tx, "session.ended", {}, NOON)
        checkpoint.latest(tx, NOON)
    return app


@pytest.fixture
def signed(migrated: Flask) -> Flask:
    return sign(migrated)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_all_is_well(migrated: Flask, path: str) -> None:
    answer = ask(sign(migrated), path)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/healthz?ui_locales=ar", "/readyz?ui_locales=ar"])
def test_no_cookie_no_entry_and_no_cache(migrated: Flask, path: str) -> None:
    answer = ask(migrated, path)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    with migrated.app_context(), reading() as tx:
        assert tx.query(AuditEntry).count() == 0


@pytest.fixture
def torn(tools: Tools, tmp_path: Path) -> Iterator[Flask]:
    """The application whose database is a folder: nobody can open it."""
    (tmp_path / "broken.sqlite3").mkdir()
    url = f"sqlite:///{tmp_path}/broken.sqlite3"
    app = create_app(replace(tools, settings=Settings(issuer=ISSUER, database_url=url)))
    yield app
    with app.app_context():
        db.engine.dispose()


def test_a_process_without_its_database_lives_and_is_not_ready(torn: Flask) -> None:
    assert ask(torn, "/healthz").status_code == 200
    assert missing(torn) == ["database"]


def test_it_is_ready_again_as_soon_as_the_database_is(torn: Flask, tmp_path: Path) -> None:
    assert missing(torn) == ["database"]
    shutil.rmtree(tmp_path / "broken.sqlite3")
    command.upgrade(alembic_config(f"sqlite:///{tmp_path}/broken.sqlite3"), "head")
    assert ask(torn).status_code == 200


def test_without_tables_it_is_not_ready(migrated: Flask) -> None:
    execute(migrated, "DROP TABLE alembic_version")
    assert missing(migrated) == ["migrations"]


def test_with_the_tables_of_an_older_release_it_is_not_ready(migrated: Flask) -> None:
    execute(migrated, "UPDATE alembic_version SET version_num = '0001'")
    assert missing(migrated) == ["migrations"]


def test_with_the_tables_of_a_later_release_it_is_ready(migrated: Flask) -> None:
    execute(migrated, "UPDATE alembic_version SET version_num = '9999'")
    assert ask(migrated).status_code == 200


def test_without_a_key_that_signs_it_is_not_ready(migrated: Flask, keyring: Keyring) -> None:
    keys = replace(keyring, signing=())
    migrated.extensions["broker"] = replace(migrated.extensions["broker"], keys=lambda: keys)
    assert missing(migrated) == ["keys"]


def test_on_either_database_only_a_sound_record_is_ready(disk_app: Flask) -> None:
    assert ask(sign(disk_app)).status_code == 200
    execute(disk_app, "DELETE FROM audit_entry WHERE idx = 1")
    assert missing(disk_app) == ["audit"]


def test_an_altered_record_is_not_ready(signed: Flask) -> None:
    execute(signed, "UPDATE audit_entry SET leaf_hash = zeroblob(32) WHERE idx = 1")
    assert missing(signed) == ["audit"]


def test_a_restored_record_that_is_behind_its_mark_is_not_ready(signed: Flask) -> None:
    execute(signed, "DELETE FROM audit_checkpoint", "DELETE FROM audit_entry")
    assert missing(signed) == ["audit"]


def test_a_spoilt_mark_is_not_ready(signed: Flask) -> None:
    path = signed.extensions["broker"].settings.audit.mark
    text_ = path.read_text()
    path.write_text(text_.replace("\n3\n", "\n4\n"))
    assert path.read_text() != text_
    assert missing(signed) == ["audit"]
