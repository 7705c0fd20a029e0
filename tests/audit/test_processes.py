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
from broker.audit.entry import read_leaf
from broker.audit.models import AuditEntry
from broker.audit.worker import catch_up
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


def said(folder: Path) -> list[str]:
    """Every name that was answered; a line without its newline was not."""
    texts = [path.read_text() for path in folder.glob("said.*")]
    return [line[:-1] for text in texts for line in text.splitlines(keepends=True) if "\n" in line]


def stored(url: str, folder: Path) -> tuple[list[str], fsck.Report]:
    """The names in the order of their entries, each entry once; and what the check says."""
    app = house(url, folder)
    with app.app_context():
        catch_up()
        with reading() as tx:
            rows = tx.execute(select(AuditEntry.idx, AuditEntry.leaf).order_by(AuditEntry.idx))
            found = [(row.idx, read_leaf(row.leaf)["facts"]["session"]) for row in rows]
            report = fsck.check(tx.connection(), checkpoint.log_key(), mark.read())
        db.session.remove()
        db.engine.dispose()
    assert [index for index, _ in found] == list(range(len(found)))
    return [name for _, name in found], report


def test_entries_of_several_processes_stand_in_one_tree(prepared: str, tmp_path: Path) -> None:
    with appenders(prepared, tmp_path, PROCESSES, EACH) as running:
        assert [each.wait(timeout=600) for each in running] == [0] * PROCESSES
    names, report = stored(prepared, tmp_path)
    assert sorted(names) == sorted(said(tmp_path))
    assert len(names) == PROCESSES * EACH
    assert report.faults == ()


def test_of_several_sequencers_none_makes_a_second_root(prepared: str, tmp_path: Path) -> None:
    others = tmp_path / "sequencers"
    others.mkdir()
    (others / "keys").symlink_to(tmp_path / "keys")
    with (
        appenders(prepared, others, 2, 0, "sequence") as sequencers,
        appenders(prepared, tmp_path, 2, EACH) as running,
    ):
        assert [each.wait(timeout=600) for each in running] == [0] * 2
        time.sleep(0.5)
        assert [each.poll() for each in sequencers] == [None] * 2
    names, report = stored(prepared, tmp_path)
    assert sorted(names) == sorted(said(tmp_path))
    assert len(names) == 2 * EACH
    assert report.faults == ()


def killed(url: str, folder: Path, kills: int, *mode: str) -> None:
    """Let processes record, one sequence, and kill them all at some moment, again and again."""
    moments = random.Random(os.environ.get("MIFTAH_SEED", "1"))  # noqa: S311  not a secret
    others = folder / "sequencers"
    others.mkdir(exist_ok=True)
    if not (others / "keys").exists():
        (others / "keys").symlink_to(folder / "keys")
    for _ in range(kills):
        before = len(said(folder))
        with (
            appenders(url, others, 1, 0, "sequence") as sequencers,
            appenders(url, folder, 2, 100_000, *mode) as running,
        ):
            while len(said(folder)) < before + 4:
                time.sleep(0.02)
            time.sleep(moments.random() / 5)
            for each in (*sequencers, *running):
                each.send_signal(signal.SIGKILL)


def test_what_was_answered_outlives_the_death_of_the_process(prepared: str, tmp_path: Path) -> None:
    killed(prepared, tmp_path, KILLS)
    names, report = stored(prepared, tmp_path)
    assert len(names) == len(set(names))
    assert set(said(tmp_path)) <= set(names)
    assert report.faults == ()


def test_the_control_that_answers_before_the_commit_is_found_out(
    prepared: str, tmp_path: Path
) -> None:
    killed(prepared, tmp_path, 1, "early")
    for _ in range(20):
        names, _ = stored(prepared, tmp_path)
        if not set(said(tmp_path)) <= set(names):
            return
        killed(prepared, tmp_path, 1, "early")
    raise AssertionError("a promise made too early was never broken")


def taken_over(url: str, folder: Path, word: int) -> float:
    """So many seconds after the leader got this signal in mid-batch another had done its work."""
    with appenders(url, folder, 1, 8) as running:
        assert running[0].wait(timeout=600) == 0
    answered, leader = said(folder), folder / "leader"
    leader.mkdir()
    (leader / "keys").symlink_to(folder / "keys")
    with appenders(url, leader, 1, 0, "stall") as running:
        while said(leader) != ["8"]:
            time.sleep(0.02)
        running[0].send_signal(word)
        began = time.monotonic()
        names, report = stored(url, folder)
        took = time.monotonic() - began
    assert names == answered
    assert report.faults == ()
    return took


def test_a_leader_killed_in_mid_batch_is_replaced_within_ten_seconds(
    prepared: str, tmp_path: Path
) -> None:
    assert taken_over(prepared, tmp_path, signal.SIGKILL) < 10


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_a_leader_that_falls_silent_is_replaced_within_ten_seconds(
    prepared: str, tmp_path: Path
) -> None:
    assert taken_over(prepared, tmp_path, signal.SIGSTOP) < 10
