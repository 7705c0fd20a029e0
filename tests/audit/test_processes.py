"""Several processes that append, and processes that die: nothing lost, doubled or forked.

`make record` runs it long: 4 × 150 appends and 50 kills, on SQLite and on PostgreSQL.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from broker import clock, keyring
from broker.audit import checkpoint, fsck, mark
from broker.audit.models import AuditEntry
from broker.db import db, reading
from tests.audit.appender import house
from tests.conftest import lay_migrated

EACH = int(os.environ.get("MIFTAH_APPENDS", "10"))
KILLS = int(os.environ.get("MIFTAH_RECORD_KILLS", "1"))
PROCESSES = 4

Popen = subprocess.Popen[str]


@pytest.fixture
def prepared(database_url: str, tmp_path: Path) -> str:
    keyring.init(tmp_path / "keys", clock.utcnow())
    lay_migrated(database_url)
    return database_url


@contextmanager
def appenders(url: str, folder: Path, number: int, count: int, *mode: str) -> Iterator[list[Popen]]:
    """So many processes; their answers are read from files, which no full pipe can stop."""
    running = []
    for n in range(number):
        words = [sys.executable, "-m", "tests.audit.appender", url, str(folder), str(count), *mode]
        with (folder / f"said.{n}").open("a") as said:
            running.append(subprocess.Popen(words, stdout=said, text=True))
    try:
        yield running
    finally:
        for each in running:
            each.kill()
            each.wait()


def said(folder: Path) -> list[int]:
    """Every index that was answered; a line without its newline was not."""
    texts = [path.read_text() for path in folder.glob("said.*")]
    return [int(line) for text in texts for line in text.splitlines(keepends=True) if "\n" in line]


def stored(url: str, folder: Path) -> tuple[list[int], fsck.Report]:
    app = house(url, folder)
    with app.app_context():
        with reading() as tx:
            indexes = list(tx.scalars(select(AuditEntry.idx).order_by(AuditEntry.idx)))
            report = fsck.check(tx.connection(), checkpoint.log_key(), mark.read())
        db.session.remove()
        db.engine.dispose()
    return indexes, report


def test_entries_of_several_processes_stand_in_one_tree(prepared: str, tmp_path: Path) -> None:
    with appenders(prepared, tmp_path, PROCESSES, EACH) as running:
        assert [each.wait(timeout=600) for each in running] == [0] * PROCESSES
    indexes, report = stored(prepared, tmp_path)
    assert indexes == sorted(said(tmp_path)) == list(range(PROCESSES * EACH))
    assert report.faults == ()


def killed(url: str, folder: Path, kills: int, *mode: str) -> None:
    """Let processes append, and kill them all at some moment, again and again."""
    moments = random.Random(os.environ.get("MIFTAH_SEED", "1"))  # noqa: S311  not a secret
    for _ in range(kills):
        before = len(said(folder))
        with appenders(url, folder, 2, 100_000, *mode) as running:
            while len(said(folder)) < before + 4:
                time.sleep(0.02)
            time.sleep(moments.random() / 5)
            for each in running:
                each.send_signal(signal.SIGKILL)


def test_what_was_answered_outlives_the_death_of_the_process(prepared: str, tmp_path: Path) -> None:
    killed(prepared, tmp_path, KILLS)
    indexes, report = stored(prepared, tmp_path)
    answered = said(tmp_path)
    assert len(answered) == len(set(answered))
    assert set(answered) <= set(indexes)
    assert indexes == list(range(len(indexes)))
    assert report.faults == ()


def test_the_control_that_answers_before_the_commit_is_found_out(
    prepared: str, tmp_path: Path
) -> None:
    killed(prepared, tmp_path, 1, "early")
    for _ in range(20):
        answered = said(tmp_path)
        indexes, _ = stored(prepared, tmp_path)
        if len(answered) != len(set(answered)) or not set(answered) <= set(indexes):
            return
        killed(prepared, tmp_path, 1, "early")
    raise AssertionError("a promise made too early was never broken")
