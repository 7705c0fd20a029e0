"""The log as static files, pruning, and proof files, judged by the verifier."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from broker.audit import checkpoint, tiles
from broker.audit.log import record
from broker.audit.models import AuditEntry, AuditPruning, AuditSubject
from broker.db import reading, transaction
from miftah_verify import directory
from miftah_verify.__main__ import main
from tests.audit.conftest import fill
from tests.conftest import NOON


def run(app: Flask, *words: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["audit", *words])
    return done.exit_code, done.output


@pytest.fixture
def key(app: Flask) -> str:
    return run(app, "key")[1].strip()


@given(st.none() | st.integers(0, 63), st.integers(0, 10**10), st.integers(1, 256))
def test_both_spell_the_path_of_a_tile_alike(level: int | None, number: int, width: int) -> None:
    other = directory.ENTRIES if level is None else level
    assert tiles.tile_path(level, number, width) == directory.tile_path(other, number, width)


@pytest.mark.parametrize("size", [0, 1, 254, 255, 256, 600])
def test_what_is_published_is_the_whole_log(
    app: Flask, tmp_path: Path, key: str, size: int
) -> None:
    fill(app, size)
    assert run(app, "publish", str(tmp_path))[0] == 0
    assert main(["log", str(tmp_path), "--key", key]) == 0


def test_publishing_again_writes_only_what_is_new(app: Flask, tmp_path: Path, key: str) -> None:
    fill(app, 299)
    assert run(app, "publish", str(tmp_path)) == (0, "5 files written\n")
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    assert run(app, "publish", str(tmp_path)) == (0, "2 files written\n")
    kept = [p for p, when in before.items() if p.stat().st_mtime_ns == when]
    assert len(kept) == 5  # everything but the checkpoint
    assert main(["log", str(tmp_path), "--key", key]) == 0


def test_a_proof_file_holds(app: Flask, tmp_path: Path, key: str) -> None:
    fill(app, 300)
    assert run(app, "proof", "17", str(tmp_path))[0] == 0
    proof, entry = tmp_path / "17.tlog-proof", tmp_path / "17.entry"
    assert main(["proof", str(proof), str(entry), "--key", key]) == 0
    entry.write_bytes(entry.read_bytes().replace(b'"P0"', b'"P3"'))
    assert main(["proof", str(proof), str(entry), "--key", key]) == 1


def test_pruned_entries_are_gone_and_the_rest_still_holds(
    app: Flask, tmp_path: Path, key: str
) -> None:
    fill(app, 600)
    code, statement = run(app, "prune", "300", "--yes")
    assert code == 0
    assert statement.startswith(
        "miftah.pruning/v1\nbroker.test\n256\n2026-11-23T12:00:00.000Z\n600\n"
    )
    with app.app_context(), reading() as tx:
        for index in (AuditEntry.idx, AuditSubject.idx):
            assert tx.scalar(select(func.min(index))) == 256
    assert run(app, "verify") == (0, "601 entries, 3 checkpoints\nThe record holds.\n")
    assert run(app, "publish", str(tmp_path))[0] == 0
    assert not (tmp_path / "tile/entries/000").exists()
    assert main(["log", str(tmp_path), "--key", key, "--minimum", "256"]) == 0
    assert main(["log", str(tmp_path), "--key", key]) == 1
    assert run(app, "proof", "256", str(tmp_path))[0] == 0
    proof, entry = tmp_path / "256.tlog-proof", tmp_path / "256.entry"
    assert main(["proof", str(proof), str(entry), "--key", key]) == 0


def test_what_is_left_remembers_the_latest_time_of_what_was_pruned(app: Flask) -> None:
    with app.app_context(), transaction() as tx:
        for n in range(300):
            record(tx, "session.ended", {"n": n}, NOON - timedelta(seconds=n % 50))
    run(app, "prune", "256", "--yes")
    assert "The record holds" in run(app, "verify")[1]
    assert run(app, "rebuild") == (0, "0 entries had other index columns\n")
    assert "The record holds" in run(app, "verify")[1]


def test_pruning_asks_first(app: Flask) -> None:
    fill(app, 300)
    assert run(app, "prune", "300")[0] != 0
    with app.app_context(), reading() as tx:
        assert tx.scalar(select(func.count()).select_from(AuditPruning)) == 0


@pytest.mark.parametrize("below", ["1", "255", "10000"])
def test_what_no_checkpoint_covers_or_fills_no_tile_is_not_pruned(app: Flask, below: str) -> None:
    fill(app, 300)
    assert run(app, "prune", below, "--yes")[0] != 0
    with app.app_context(), reading() as tx:
        assert tx.scalar(select(func.count()).select_from(AuditEntry)) == 300


def test_a_hole_below_the_minimum_is_no_excuse_for_another_hash(app: Flask) -> None:
    fill(app, 600)
    run(app, "prune", "300", "--yes")
    with app.app_context(), transaction() as tx:
        tx.connection().exec_driver_sql(
            "UPDATE audit_tile SET hashes = zeroblob(32) || substr(hashes, 33) WHERE number = 0"
        )
    assert "first bad index: 0\n" in run(app, "verify")[1]


def test_a_hole_above_the_minimum_is_a_fault(app: Flask) -> None:
    fill(app, 600)
    run(app, "prune", "300", "--yes")
    with app.app_context(), transaction() as tx:
        tx.execute(delete(AuditEntry).where(AuditEntry.idx == 256))
    assert "first bad index: 256\n" in run(app, "verify")[1]


def test_the_head_is_published_last(app: Flask, tmp_path: Path) -> None:
    fill(app, 300)
    with app.app_context(), transaction() as tx:
        signed = checkpoint.latest(tx, NOON)
        tx.execute(delete(AuditEntry).where(AuditEntry.idx == 270))
        with pytest.raises(Exception, match="missing"):
            tiles.publish(tx.connection(), tmp_path, signed, 300)
    assert not (tmp_path / "checkpoint").exists()
