"""Restored backups, spoiled marks, shards: what must not go on under the same name."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from broker.app import create_app
from broker.audit import checkpoint, fsck, mark, origin
from broker.audit.models import AuditCheckpoint, AuditSuccession
from broker.audit.tree import RecordAltered
from broker.db import db, reading, transaction
from broker.settings import AuditSettings, Settings
from broker.web.tools import Tools
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.recording import recorded

Start = Callable[..., Flask]


@pytest.fixture
def start(tools: Tools, tmp_path: Path) -> Iterator[Start]:
    """Start the broker anew over the same file, as after a stop."""
    started: list[Flask] = []

    def stop() -> None:
        for app in started:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
        started.clear()

    def start(name: str = "") -> Flask:
        stop()
        url = f"sqlite:///{tmp_path}/broker.sqlite3"
        own = AuditSettings(origin=name)
        app = create_app(
            replace(tools, settings=Settings(issuer=ISSUER, database_url=url, audit=own))
        )
        with app.app_context():
            db.create_all()
        started.append(app)
        return app

    yield start
    stop()


def append(app: Flask, count: int, now: datetime = NOON) -> None:
    with app.app_context():
        for n in range(count):
            with transaction() as tx:
                recorded(tx, "session.ended", {"n": n}, now)


def sign(app: Flask, now: datetime = NOON) -> str:
    with app.app_context(), transaction() as tx:
        return checkpoint.latest(tx, now)


def check(app: Flask) -> fsck.Report:
    with app.app_context(), reading() as tx:
        return fsck.check(tx.connection(), checkpoint.log_key(), mark.read())


def backup(folder: Path) -> None:
    shutil.copy(folder / "broker.sqlite3", folder / "backup")


def restore(folder: Path) -> None:
    for name in ("broker.sqlite3-wal", "broker.sqlite3-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(folder / "backup", folder / "broker.sqlite3")


def test_the_mark_is_the_newest_checkpoint_on_the_disk(start: Start, tmp_path: Path) -> None:
    app = start()
    append(app, 3)
    assert (tmp_path / "broker.sqlite3.mark").exists() is False
    signed = sign(app)
    assert (tmp_path / "broker.sqlite3.mark").read_text() == signed


def test_what_was_not_committed_leaves_no_mark(start: Start, tmp_path: Path) -> None:
    app = start()
    append(app, 3)
    with app.app_context(), contextlib.suppress(InterruptedError), transaction() as tx:
        checkpoint.latest(tx, NOON)
        raise InterruptedError
    append(app, 1)
    assert not (tmp_path / "broker.sqlite3.mark").exists()


@pytest.fixture
def restored(start: Start, tmp_path: Path) -> Start:
    """A record of 5 entries was backed up, went on to 9, was signed, and the backup restored."""
    app = start()
    append(app, 5)
    sign(app)
    start()
    backup(tmp_path)
    app = start()
    append(app, 4)
    sign(app)
    start()
    restore(tmp_path)
    return start


def test_a_restored_backup_cannot_go_on_under_its_name(restored: Start) -> None:
    app = restored()
    with pytest.raises(RecordAltered, match="restored"):
        append(app, 1)
    with pytest.raises(RecordAltered, match="restored"):
        append(app, 5)


def test_a_restored_backup_that_grew_elsewhere_cannot_go_on(
    restored: Start, tmp_path: Path
) -> None:
    # Its mark was moved away while it grew, and put back.
    held = tmp_path / "broker.sqlite3.mark"
    held.rename(tmp_path / "kept")
    app = restored()
    append(app, 6)
    (tmp_path / "kept").rename(held)
    with pytest.raises(RecordAltered, match="not those of the mark"):
        sign(app)
    assert check(app).first_bad == 5


def test_the_check_names_where_a_restored_backup_ends(restored: Start) -> None:
    report = check(restored())
    assert report.first_bad == 5
    assert "restored" in report.faults[0].what


def test_a_restored_backup_goes_on_under_a_new_name(restored: Start) -> None:
    app = restored("broker.test/again")
    append(app, 6)
    assert sign(app).startswith("broker.test/again\n11\n")
    assert check(app).faults == ()
    with app.app_context(), reading() as tx:
        (said,) = tx.scalars(select(AuditSuccession.note))
    assert said.startswith("miftah.successor/v1\nbroker.test\nbroker.test/again\n5\n")


def test_a_spoiled_mark_does_not_make_the_broker_forget(start: Start, tmp_path: Path) -> None:
    app = start()
    append(app, 3)
    sign(app)
    path = tmp_path / "broker.sqlite3.mark"
    path.write_text(path.read_text().replace("\n3\n", "\n1\n"))
    app = start()
    with pytest.raises(RecordAltered, match="not a checkpoint of ours"):
        append(app, 1)


def test_a_dropped_table_of_checkpoints_is_found(start: Start) -> None:
    app = start()
    append(app, 3)
    sign(app)
    with app.app_context(), transaction() as tx:
        tx.execute(AuditCheckpoint.__table__.delete())  # type: ignore[attr-defined]
    report = check(app)
    assert (report.first_bad, report.faults[0].what) == (2, "checkpoint 3, the mark, is missing")


def test_an_honest_stop_changes_nothing(start: Start) -> None:
    for size in (3, 6, 9):
        app = start()
        append(app, 3)
        assert sign(app).startswith(f"broker.test\n{size}\n")
    assert check(app).faults == ()


def test_the_mark_never_falls(start: Start) -> None:
    app = start()
    append(app, 9)
    newest = sign(app)
    with app.app_context():
        path = mark.place()
        assert path is not None
        older = newest.replace("\n9\n", "\n4\n")
        mark._write(path, older, origin.shards())
        assert path.read_text() == newest


def test_every_year_has_a_name_of_its_own_and_the_old_one_is_closed(
    start: Start, clock: StoppedClock
) -> None:
    app = start("log.test/{year}")
    append(app, 3)
    assert sign(app).startswith("log.test/2026\n3\n")
    clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    append(app, 2, clock.now)
    assert sign(app, clock.now).startswith("log.test/2027\n5\n")
    assert check(app).faults == ()
    with app.app_context(), reading() as tx:
        row = tx.scalars(select(AuditSuccession)).one()
        assert (row.origin, row.successor) == ("log.test/2026", "log.test/2027")


def test_a_closed_name_stays_closed_when_the_clock_goes_back(
    start: Start, clock: StoppedClock
) -> None:
    app = start("log.test/{year}")
    append(app, 3)
    sign(app)
    clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    append(app, 1, clock.now)
    sign(app, clock.now)
    append(app, 1, NOON)
    assert sign(app, NOON).startswith("log.test/2027\n5\n")


def test_a_backup_of_last_year_is_found_in_the_new_one(
    start: Start, tmp_path: Path, clock: StoppedClock
) -> None:
    app = start("log.test/{year}")
    append(app, 3)
    start("log.test/{year}")
    backup(tmp_path)
    app = start("log.test/{year}")
    append(app, 3)
    sign(app)
    start("log.test/{year}")
    restore(tmp_path)
    clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    app = start("log.test/{year}")
    with pytest.raises(RecordAltered, match="restored"):
        append(app, 1, clock.now)


@pytest.mark.parametrize("name", ["miftah.log", "a b", "a+b"])
def test_a_log_cannot_be_named_like_a_statement(start: Start, name: str) -> None:
    app = start(name)
    append(app, 1)
    with pytest.raises(ValueError, match="name"):
        sign(app)


def sizes(app: Flask) -> list[int]:
    with app.app_context(), reading() as tx:
        return list(tx.scalars(select(AuditCheckpoint.size).order_by(AuditCheckpoint.size)))


def test_a_checkpoint_is_made_every_256_entries_though_nobody_asks(start: Start) -> None:
    app = start()
    append(app, 600)
    assert sizes(app) == [256, 512]


def test_a_checkpoint_is_made_every_60_seconds_though_nobody_asks(start: Start) -> None:
    app = start()
    for seconds in (0, 59, 60, 61, 119, 120, 200):
        append(app, 1, NOON + timedelta(seconds=seconds))
    assert sizes(app) == [3, 6, 7]


def test_a_checkpoint_of_a_transaction_that_failed_is_made_by_the_next(start: Start) -> None:
    app = start()
    append(app, 255)
    with app.app_context(), contextlib.suppress(InterruptedError), transaction() as tx:
        recorded(tx, "session.ended", {}, NOON)
        raise InterruptedError
    append(app, 1)
    assert sizes(app) == [256]
