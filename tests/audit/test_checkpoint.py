from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError

from broker.audit import checkpoint, merkle
from broker.audit.log import record
from broker.audit.models import AuditCheckpoint, AuditEntry
from broker.audit.note import Checkpoint, open_checkpoint
from broker.audit.tree import RecordAltered, StoredNodes
from broker.db import reading, transaction
from tests.audit.conftest import fill
from tests.conftest import NOON


def latest(app: Flask) -> Checkpoint:
    with app.app_context():
        with transaction() as tx:
            signed = checkpoint.latest(tx, NOON)
        return open_checkpoint(signed, checkpoint.log_key())


def test_a_checkpoint_names_the_log_its_size_and_its_root(app: Flask) -> None:
    fill(app, 300)
    with app.app_context(), reading() as tx:
        leaves = list(tx.scalars(select(AuditEntry.leaf_hash).order_by(AuditEntry.idx)))
    root = merkle.root(merkle.nodes_over(leaves), 300)
    assert latest(app) == Checkpoint("broker.test", 300, root)


def test_an_empty_record_has_a_checkpoint_too(app: Flask) -> None:
    assert latest(app) == Checkpoint("broker.test", 0, merkle.EMPTY)


def test_the_same_size_is_signed_once(app: Flask) -> None:
    fill(app, 3)
    assert latest(app) == latest(app)
    with app.app_context(), reading() as tx:
        assert tx.scalar(select(func.count()).select_from(AuditCheckpoint)) == 1


def test_a_second_root_for_one_size_cannot_be_stored(app: Flask) -> None:
    fill(app, 3)
    latest(app)
    row = {"size": 3, "root": b"r" * 32, "note": "forged", "time": NOON}
    with app.app_context(), pytest.raises(IntegrityError), transaction() as tx:
        tx.add(AuditCheckpoint(**row))


def test_nothing_is_signed_over_a_record_that_shrank(app: Flask) -> None:
    fill(app, 5)
    latest(app)
    with app.app_context():
        with transaction() as tx:
            tx.execute(delete(AuditEntry).where(AuditEntry.idx >= 3))
        with pytest.raises(RecordAltered, match="3 are left"), transaction() as tx:
            checkpoint.latest(tx, NOON)


def test_nothing_is_signed_that_contradicts_what_was_signed(app: Flask) -> None:
    fill(app, 5)
    latest(app)
    with app.app_context():
        with transaction() as tx:
            tx.execute(text("UPDATE audit_entry SET leaf_hash = zeroblob(32) WHERE idx = 2"))
            record(tx, "session.ended", {}, NOON)
        with pytest.raises(RecordAltered, match="not those that were signed"), transaction() as tx:
            checkpoint.latest(tx, NOON)


def test_a_restored_backup_that_went_on_is_refused_by_whoever_kept_the_checkpoint(
    app: Flask,
) -> None:
    fill(app, 5)
    before = latest(app)
    with app.app_context():
        with transaction() as tx:
            tx.execute(delete(AuditCheckpoint))
            tx.execute(delete(AuditEntry).where(AuditEntry.idx >= 3))
            for _ in range(4):
                record(tx, "session.ended", {}, NOON)
        after = latest(app)
        with reading() as tx:
            path = merkle.consistency_proof(StoredNodes(tx.connection()), before.size, after.size)
    with pytest.raises(merkle.ProofRejected):
        merkle.verify_consistency(before.size, after.size, path, before.root, after.root)


@pytest.mark.parametrize(
    ("seconds", "growth", "covering", "expected"),
    [
        (0, 0, 0, 5),
        (59, 1, 5, 5),
        (59, 255, 0, 5),
        (60, 1, 0, 6),
        (0, 256, 0, 261),
        (0, 1, 6, 6),
    ],
)
def test_readers_get_a_checkpoint_that_is_recent_and_covers_what_they_ask(
    app: Flask, seconds: int, growth: int, covering: int, expected: int
) -> None:
    fill(app, 5)
    latest(app)
    fill(app, growth)
    with app.app_context():
        with transaction() as tx:
            signed = checkpoint.recent(tx, NOON + timedelta(seconds=seconds), covering)
        assert open_checkpoint(signed, checkpoint.log_key()).size == expected


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_proofs_out_of_tiles_are_those_of_the_whole_tree(app: Flask, size: int) -> None:
    fill(app, 600)
    with app.app_context(), reading() as tx:
        leaves = list(tx.scalars(select(AuditEntry.leaf_hash).order_by(AuditEntry.idx)))
        whole = merkle.nodes_over(leaves)
        for index in {0, size // 2, size - 1}:
            stored = merkle.inclusion_proof(StoredNodes(tx.connection()), index, size)
            assert stored == merkle.inclusion_proof(whole, index, size)
            stored = merkle.consistency_proof(StoredNodes(tx.connection()), index + 1, size)
            assert stored == merkle.consistency_proof(whole, index + 1, size)


def test_a_subtree_that_is_not_complete_has_no_hash(app: Flask) -> None:
    fill(app, 3)
    with app.app_context(), reading() as tx:
        nodes = StoredNodes(tx.connection())
        assert nodes(1, 0)
        for height, position in ((1, 1), (2, 0), (0, 3), (8, 0)):
            with pytest.raises(RecordAltered, match="missing"):
                nodes(height, position)


def test_nothing_is_signed_over_a_record_with_a_hole(app: Flask) -> None:
    fill(app, 5)
    with app.app_context():
        with transaction() as tx:
            tx.execute(delete(AuditEntry).where(AuditEntry.idx == 2))
        with pytest.raises(RecordAltered, match="hole"), transaction() as tx:
            checkpoint.latest(tx, NOON)


@pytest.mark.slow
def test_tiles_of_tiles_are_kept_and_read(app: Flask) -> None:
    # 256 × 256 entries fill the first tile of level 1; only their hashes matter here.
    from broker.audit.tree import complete_tiles

    leaves = [merkle.leaf_hash(n.to_bytes(4, "big")) for n in range(65_536 + 300)]
    with app.app_context(), transaction() as tx:
        connection = tx.connection()
        for n, leaf in enumerate(leaves):
            connection.exec_driver_sql(
                "INSERT INTO audit_entry (idx, leaf, leaf_hash, time, event, outcome)"
                " VALUES (?, x'', ?, '2026-11-23', 'x', 'x')",
                (n, leaf),
            )
            complete_tiles(connection, n, [leaf])
        whole, size = merkle.nodes_over(leaves), len(leaves)
        stored = StoredNodes(connection)
        assert len(stored.tile(1, 0)) == 256
        assert merkle.root(stored, size) == merkle.root(whole, size)
        for index in (0, 65_535, 65_536, size - 1):
            path = merkle.inclusion_proof(StoredNodes(connection), index, size)
            assert path == merkle.inclusion_proof(whole, index, size)
