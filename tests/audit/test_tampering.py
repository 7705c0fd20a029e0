"""Somebody with the database in their hands: each deed is found, and its place named.

Once by the broker's own check, and once by the auditor, who has the published files, the
verifier and a copy of the log from last month.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from broker.audit import checkpoint, merkle
from broker.audit.log import record
from broker.audit.tree import complete_tiles, growing
from broker.db import transaction
from miftah_verify.__main__ import main
from tests.audit.conftest import fill
from tests.conftest import NOON

SIZE, KEPT = 600, 560

Find = Callable[[], tuple[str, str]]


def sql(app: Flask, *statements: str) -> None:
    with app.app_context(), transaction() as tx:
        for statement in statements:
            tx.execute(text(statement))


def publish(app: Flask, folder: Path) -> int:
    return app.test_cli_runner().invoke(args=["audit", "publish", str(folder)]).exit_code


@pytest.fixture
def log(app: Flask, tmp_path: Path) -> Flask:
    """600 entries; the auditor kept a copy of the first 560."""
    fill(app, KEPT - 1)
    assert publish(app, tmp_path / "kept") == 0  # which is an entry itself
    fill(app, SIZE - KEPT)
    with app.app_context(), transaction() as tx:
        checkpoint.latest(tx, NOON)
    return app


@pytest.fixture
def find(log: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Find:
    """What the broker's check says, and what the auditor's verifier says of what is published."""

    def find() -> tuple[str, str]:
        own = log.test_cli_runner().invoke(args=["audit", "verify"]).output
        with log.app_context():
            key = str(checkpoint.log_key())
        if publish(log, tmp_path / "now") != 0:
            return own, "nothing is published"
        asked = ["log", str(tmp_path / "now"), "--key", key, "--earlier", str(tmp_path / "kept")]
        capsys.readouterr()
        main(asked)
        return own, capsys.readouterr().out

    return find


def test_an_honest_log_holds_for_both(find: Find) -> None:
    own, auditor = find()
    assert "The record holds" in own
    assert auditor == "HOLDS: all 601 entries of broker.test\n"


def test_an_altered_entry(log: Flask, find: Find) -> None:
    sql(
        log, "UPDATE audit_entry SET leaf = replace(leaf, 'P0', 'P3'), level = 'P3' WHERE idx = 300"
    )
    own, auditor = find()
    assert "first bad index: 300\n" in own
    assert "first bad index: 300\n" in auditor


def test_an_altered_index_column_alone(log: Flask, find: Find) -> None:
    sql(log, "UPDATE audit_entry SET client = 'client-9' WHERE idx = 300")
    own, auditor = find()
    assert "first bad index: 300\n" in own
    assert "index columns" in own
    assert "HOLDS" in auditor  # what is published is the entry itself


def test_a_deleted_entry(log: Flask, find: Find) -> None:
    sql(log, "DELETE FROM audit_entry WHERE idx = 300")
    own, auditor = find()
    assert "first bad index: 300\n" in own
    assert auditor == "nothing is published"


def test_an_entry_put_in_between(log: Flask, find: Find) -> None:
    sql(
        log,
        "UPDATE audit_subject SET idx = -idx - 1 WHERE idx >= 300",
        "UPDATE audit_subject SET idx = -idx WHERE idx < 0",
        "UPDATE audit_entry SET idx = -idx - 1 WHERE idx >= 300",
        "UPDATE audit_entry SET idx = -idx WHERE idx < 0",
        "INSERT INTO audit_entry (idx, leaf, leaf_hash, time, event, client, level, outcome,"
        " grant_id, evidence, kind, reason, assertion, latest)"
        " SELECT 300, leaf, leaf_hash, time, event, client, level, outcome,"
        " grant_id, evidence, kind, reason, assertion, latest FROM audit_entry WHERE idx = 12",
    )
    own, auditor = find()
    assert "first bad index: 300\n" in own
    assert auditor == "nothing is published"  # the broker refuses to sign it


def test_two_entries_swapped(log: Flask, find: Find) -> None:
    sql(
        log,
        "UPDATE audit_entry SET idx = 9000 WHERE idx = 300",
        "UPDATE audit_entry SET idx = 300 WHERE idx = 301",
        "UPDATE audit_entry SET idx = 301 WHERE idx = 9000",
        "DELETE FROM audit_subject WHERE idx IN (300, 301)",
    )
    own, auditor = find()
    assert "first bad index: 300\n" in own
    assert "first bad index: 300\n" in auditor


def test_a_tail_cut_off(log: Flask, find: Find) -> None:
    sql(log, "DELETE FROM audit_entry WHERE idx >= 550")
    own, auditor = find()
    assert "first bad index: 550\n" in own
    assert auditor == "nothing is published"


def test_a_tail_cut_off_with_the_checkpoints_over_it(log: Flask, find: Find) -> None:
    sql(
        log,
        "DELETE FROM audit_entry WHERE idx >= 550",
        "DELETE FROM audit_subject WHERE idx >= 550",
        "DELETE FROM audit_checkpoint WHERE size > 550",
    )
    _, auditor = find()  # a database in memory has no mark: only who kept something can tell
    assert "first bad index: 550\n" in auditor


def test_an_old_backup_that_went_on(log: Flask, find: Find) -> None:
    sql(
        log,
        "DELETE FROM audit_entry WHERE idx >= 540",
        "DELETE FROM audit_subject WHERE idx >= 540",
        "DELETE FROM audit_checkpoint WHERE size > 540",
    )
    with log.app_context(), transaction() as tx:
        for n in range(100):
            record(tx, "session.ended", {"n": n}, NOON)
    _, auditor = find()
    assert "first bad index: 540\n" in auditor
    assert "earlier copy" in auditor


def test_everything_computed_and_signed_anew(log: Flask, find: Find) -> None:
    with log.app_context(), transaction() as tx:
        connection = tx.connection()
        (leaf,) = connection.exec_driver_sql("SELECT leaf FROM audit_entry WHERE idx = 300").one()
        leaf = leaf.replace(b'"P0"', b'"P3"')
        connection.exec_driver_sql(
            "UPDATE audit_entry SET leaf = ?, leaf_hash = ?, level = 'P3' WHERE idx = 300",
            (leaf, merkle.leaf_hash(leaf)),
        )
        connection.exec_driver_sql("DELETE FROM audit_tile")
        connection.exec_driver_sql("DELETE FROM audit_checkpoint")
        complete_tiles(connection, 0, growing(connection, 0, 0) + growing(connection, 0, 1))
        checkpoint.latest(tx, NOON)  # with the log's own key
    own, auditor = find()
    assert "The record holds" in own  # it agrees with itself
    assert "first bad index: 300\n" in auditor


def test_a_changed_tile(log: Flask, find: Find) -> None:
    # The second tile; 300 is its hash number 44.
    sql(
        log,
        "UPDATE audit_tile SET hashes = substr(hashes, 1, 1408) || zeroblob(32)"
        " || substr(hashes, 1441) WHERE level = 0 AND number = 1",
    )
    own, auditor = find()
    assert "first bad index: 300\n" in own
    assert auditor == "nothing is published" or "first bad index: 300\n" in auditor


def test_a_clock_set_back_is_remarked_with_its_place(log: Flask, find: Find) -> None:
    with log.app_context(), transaction() as tx:
        record(tx, "session.ended", {}, NOON + timedelta(hours=2))
        record(tx, "session.ended", {}, NOON + timedelta(hours=2, seconds=-59))
        record(tx, "session.ended", {}, NOON)
    own, _ = find()
    assert "remark at 602: the clock was set back by 2:00:00\n" in own
    assert own.count("remark") == 1
    assert "The record holds" in own
