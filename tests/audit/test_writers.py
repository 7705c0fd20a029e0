"""Many writers at once, on either kind of database."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from flask import Flask
from sqlalchemy import delete, select, text, update

from broker.audit import checkpoint, fsck
from broker.audit.entry import read_leaf
from broker.audit.log import record
from broker.audit.models import AuditEntry, AuditTile
from broker.audit.note import open_checkpoint
from broker.audit.worker import catch_up
from broker.db import db, reading, transaction
from tests.audit.conftest import Getter, body, fill, read_token
from tests.conftest import NOON
from tests.recording import sequenced

WRITERS = 4
EACH = 40


def check(app: Flask) -> fsck.Report:
    with app.app_context(), reading() as tx:
        return fsck.check(tx.connection(), checkpoint.log_key())


def test_no_entry_is_lost_doubled_or_out_of_order(disk_app: Flask) -> None:
    def write(writer: int) -> None:
        with disk_app.app_context():
            for n in range(EACH):
                with transaction() as tx:
                    record(tx, "session.ended", {"w": writer, "n": n}, NOON)
                if n % 10 == writer:
                    catch_up()
            db.session.remove()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    sequenced(disk_app)
    with disk_app.app_context(), reading() as tx:
        rows = tx.execute(select(AuditEntry.idx, AuditEntry.leaf).order_by(AuditEntry.idx)).all()
    assert [index for index, _ in rows] == list(range(WRITERS * EACH))
    facts = [read_leaf(leaf)["facts"] for _, leaf in rows]
    for writer in range(WRITERS):
        assert [f["n"] for f in facts if f["w"] == writer] == list(range(EACH))


def test_a_transaction_that_fails_leaves_no_gap(disk_app: Flask) -> None:
    def write(writer: int) -> None:
        with disk_app.app_context():
            for n in range(10):
                with contextlib.suppress(InterruptedError), transaction() as tx:
                    record(tx, "session.ended", {"w": writer, "n": n}, NOON)
                    if n % 3 == 0:
                        raise InterruptedError
            db.session.remove()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    sequenced(disk_app)
    report = check(disk_app)
    assert (report.entries, report.faults) == (WRITERS * 6, ())


def test_many_who_ask_for_a_checkpoint_while_others_write_get_one_root_for_each_size(
    disk_app: Flask,
) -> None:
    def work(worker: int) -> list[str]:
        notes = []
        with disk_app.app_context():
            for _ in range(20):
                with transaction() as tx:
                    if worker % 2:
                        record(tx, "session.ended", {}, NOON)
                    notes.append(checkpoint.latest(tx, NOON))
            db.session.remove()
        return notes

    with ThreadPoolExecutor(WRITERS) as pool:
        notes = {note for notes in pool.map(work, range(WRITERS)) for note in notes}
    with disk_app.app_context():
        heads = [open_checkpoint(note, checkpoint.log_key()) for note in notes]
    assert len({head.size for head in heads}) == len(heads)
    report = check(disk_app)
    assert (report.entries, report.faults) == (40, ())


def test_either_database_answers_auditors_alike(disk_app: Flask) -> None:
    disk_app.extensions["broker"] = replace(disk_app.extensions["broker"], read_token=read_token)
    fill(disk_app, 300)
    get = Getter(disk_app)
    assert [e["index"] for e in body(get("/entries?client=client-1&after=290"))["entries"]] == [
        292,
        295,
        298,
    ]
    moment = "from=2026-11-23T12:00:00Z&to=2026-11-23T12:00:00.000001Z&limit=200"
    assert len(body(get(f"/entries?event=code.issued&{moment}"))["entries"]) == 200
    assert body(get("/entries?from=2026-11-23T12:00:00.000001Z&client=client-0"))["entries"] == []
    for index in (0, 256, 299):
        assert body(get(f"/entries/{index}/proof"))["index"] == index
    assert len(get("/tile/0/000").data) == 8192
    assert check(disk_app).faults == ()


def test_either_database_gives_its_tampering_away(disk_app: Flask) -> None:
    fill(disk_app, 300)
    with disk_app.app_context():
        with transaction() as tx:
            checkpoint.latest(tx, NOON)
        with transaction() as tx:
            tx.execute(update(AuditEntry).where(AuditEntry.idx == 17).values(client="x"))
            tx.execute(update(AuditEntry).where(AuditEntry.idx == 18).values(leaf=b"{}"))
            tx.execute(delete(AuditEntry).where(AuditEntry.idx == 270))
            tx.execute(update(AuditTile).values(root=b"r" * 32))
            tx.execute(text("UPDATE audit_checkpoint SET note = 'gone'"))
    report = check(disk_app)
    assert report.first_bad == 17
    assert {fault.first for fault in report.faults} == {0, 17, 18, 255, 270, 299}
