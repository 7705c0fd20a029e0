"""The migrations make exactly the tables that the code speaks to, on either database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import create_engine, inspect, text

from broker import setup
from broker.db import Base
from broker.keyring import KeysMissing, Unlock
from broker.verifiers.eidas.credentials import load
from broker.verifiers.eidas.section import Section
from tests.verifiers.eidas.node import Node


def test_migrations_and_models_agree(database_url: str) -> None:
    command.upgrade(setup.alembic_config(database_url), "head")
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_migration_can_be_taken_back(database_url: str) -> None:
    config = setup.alembic_config(database_url)
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    engine = create_engine(database_url)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()


def test_set_up_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("BROKER_DATABASE_URL", f"sqlite:///{tmp_path}/var/x.sqlite3")
    for _ in range(2):
        for task in ("keys", "database"):
            assert CliRunner().invoke(setup.main, [task]).exit_code == 0
    assert len(list((tmp_path / "keys").iterdir())) == 8


def test_a_rotated_key_may_be_dated_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_KEYS_DIR", str(tmp_path))
    told = CliRunner().invoke(setup.main, ["keys", "--rotate", "ES256", "--at", "2030-01-01"])
    assert told.exit_code == 0
    assert (tmp_path / "ES256.20300101T000000Z.pem").exists()


def test_keys_for_saml_come_with_their_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "phrase").write_text("a phrase of thirty letters or so")
    monkeypatch.setenv("BROKER_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("BROKER_KEYS__PASSPHRASE_FILE", str(tmp_path / "phrase"))
    monkeypatch.setenv("BROKER_ISSUER", "https://broker.test")
    for arguments in (["saml-keys"], ["saml-keys"], ["saml-keys", "--next"]):
        assert CliRunner().invoke(setup.main, arguments).exit_code == 0
    names = sorted(path.name for path in (tmp_path / "keys").iterdir())
    assert names == ["saml-encryption.pem", "saml-signing-next.pem", "saml-signing.pem"]
    section = Section.model_validate(Node().section | {"next_signing": "saml-signing-next.pem"})
    unlock = Unlock((tmp_path / "phrase").read_bytes())
    held = load(section, tmp_path / "keys", unlock)
    assert held.signing.certificate.subject.rfc4514_string() == "CN=broker.test"
    assert held.following is not None
    with pytest.raises(KeysMissing, match=r"saml-signing\.pem"):
        load(section, tmp_path / "keys", Unlock())


def test_a_database_that_was_emptied_beside_its_mark_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_DATABASE_URL", f"sqlite:///{tmp_path}/broker.sqlite3")
    assert CliRunner().invoke(setup.main, ["database"]).output == ""
    mark = tmp_path / "broker.sqlite3.mark"
    mark.write_text("localhost\n9\n")
    told = CliRunner().invoke(setup.main, ["database"])
    assert told.exit_code == 0
    assert str(mark) in told.output


@pytest.mark.postgres
def test_machines_that_start_together_make_the_tables_once(
    postgres_url: str | None, tmp_path: Path
) -> None:
    assert postgres_url is not None, "PostgreSQL is not installed: deploy/system-packages.sh test"
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA together"))
    url = f"{postgres_url}&options=-csearch_path%3Dtogether"
    environ = {**os.environ, "BROKER_DATABASE_URL": url, "PYTHONPATH": str(setup.MIGRATIONS.parent)}
    words = [sys.executable, "-m", "broker.setup", "database"]
    running = [subprocess.Popen(words, env=environ, cwd=tmp_path) for _ in range(3)]
    assert [each.wait(120) for each in running] == [0, 0, 0]
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA together CASCADE"))
    engine.dispose()
