"""Index columns that are empty or false are written anew out of the entries."""

import re
from pathlib import Path

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import create_engine, select, text, update

from broker.audit.event import EVENTS
from broker.audit.models import AuditEntry
from broker.audit.rebuilding import is_unfilled, project_anew
from broker.db import reading, transaction
from broker.setup import alembic_config
from tests.audit.conftest import fill
from tests.conftest import NOON
from tests.recording import recorded

HOUSE = Path(__file__).parents[2] / "broker"


def run(app: Flask, *words: str) -> str:
    return app.test_cli_runner().invoke(args=["audit", *words]).output


def test_columns_that_say_something_else_are_written_anew(app: Flask) -> None:
    fill(app, 1200)
    with app.app_context(), transaction() as tx:
        tx.execute(update(AuditEntry).where(AuditEntry.idx.in_((3, 1100))).values(client="x"))
        tx.execute(update(AuditEntry).where(AuditEntry.idx == 5).values(latest=""))
    assert "first bad index: 3\n" in run(app, "verify")
    assert run(app, "rebuild") == "3 entries had other index columns\n"
    assert "The record holds" in run(app, "verify")
    assert run(app, "rebuild") == "0 entries had other index columns\n"


def test_an_altered_entry_is_not_made_to_look_right(app: Flask) -> None:
    fill(app, 10)
    with app.app_context(), transaction() as tx:
        tx.execute(text("UPDATE audit_entry SET leaf = replace(leaf, 'P0', 'P3') WHERE idx = 3"))
        tx.execute(text("UPDATE audit_entry SET leaf = x'00' WHERE idx = 4"))
    assert run(app, "rebuild") == "0 entries had other index columns\n"
    with app.app_context(), reading() as tx:
        assert tx.scalar(select(AuditEntry.level).where(AuditEntry.idx == 3)) == "P0"
    assert "first bad index: 3\n" in run(app, "verify")


def test_a_record_of_the_first_house_is_filled_when_it_moves_in(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/old.sqlite3"
    command.upgrade(alembic_config(url), "0002")
    with app.app_context(), transaction() as tx:
        for n in range(3):
            recorded(tx, "code.issued", {"client": "c", "acr": "P0", "grant": f"g{n}"}, NOON)
    with app.app_context(), reading() as tx:
        old = tx.execute(text("SELECT idx, leaf, leaf_hash, time, event, outcome FROM audit_entry"))
        rows = [dict(row._mapping) for row in old]
    engine = create_engine(url)
    with engine.begin() as connection:
        names = ", ".join(rows[0])
        values = ", ".join(f":{name}" for name in rows[0])
        connection.execute(text(f"INSERT INTO audit_entry ({names}) VALUES ({values})"), rows)  # noqa: S608  ours
    command.upgrade(alembic_config(url), "head")
    with engine.begin() as connection:
        assert is_unfilled(connection)
        assert project_anew(connection) == 3
        assert not is_unfilled(connection)
        grants = connection.scalars(text("SELECT grant_id FROM audit_entry ORDER BY idx"))
        assert list(grants) == ["g0", "g1", "g2"]
    engine.dispose()


def test_every_event_of_the_catalogue_is_recorded_by_somebody() -> None:
    catalogue = {HOUSE / "audit" / name for name in ("event.py", "copies.py", "entry.py")}
    source = "\n".join(
        path.read_text("utf-8") for path in HOUSE.rglob("*.py") if path not in catalogue
    )
    silent = {event for event in EVENTS if not re.search(rf'"{re.escape(event)}"', source)}
    assert silent == set()
