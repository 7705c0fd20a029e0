"""The migrations make exactly the tables that the code speaks to, on either database."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import create_engine, inspect

from broker import setup
from broker.db import Base


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
