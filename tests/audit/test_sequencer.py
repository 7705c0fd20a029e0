"""Staged leaves: one insert, no lock, nothing lost, and readers who see all that was committed."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from flask import Flask
from sqlalchemy import create_engine, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from broker import audit
from broker.audit import activation, checkpoint, numbering, sequencer, turn, witnesses
from broker.audit.entry import read_leaf
from broker.audit.log import erase, record
from broker.audit.models import (
    AuditAhead,
    AuditCheckpoint,
    AuditEntry,
    AuditPolicy,
    AuditRefusal,
    AuditStaged,
    AuditSubject,
    AuditTile,
)
from broker.audit.tree import RecordAltered
from broker.audit.worker import keep_sequencing, next_look, sequence_next
from broker.db import db, reading, transaction
from broker.feature import Feature
from broker.settings import AuditSettings
from broker.setup import alembic_config
from tests.audit.conftest import Getter, body, fill
from tests.conftest import NOON, StoppedClock
from tests.recording import sequenced

_LINKS = select(AuditStaged.account_id, AuditStaged.salt).order_by(AuditStaged.id)

on_postgresql = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


def stage(app: Flask, *names: str, account: str | None = None) -> None:
    with app.app_context(), transaction() as tx:
        for name in names:
            record(tx, "session.ended", {"session": name, "account": account}, NOON)


def placed(app: Flask) -> list[str]:
    """The sessions of the entries, in the order of their index."""
    with app.app_context(), reading() as tx:
        leaves = tx.scalars(select(AuditEntry.leaf).order_by(AuditEntry.idx)).all()
    return [read_leaf(leaf)["facts"]["session"] for leaf in leaves]


def count(app: Flask, table: type) -> int:
    with app.app_context(), reading() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


@contextmanager
def statements(tx: Session) -> Iterator[list[str]]:
    """Every statement that the driver is given meanwhile, by whatever way."""
    sent: list[str] = []
    driver: Any = tx.connection().connection.driver_connection
    if tx.connection().dialect.name == "sqlite":
        driver.set_trace_callback(sent.append)
        yield sent
        driver.set_trace_callback(None)
        return

    class Heard(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **said: Any) -> Any:
            sent.append(str(query))
            return super().execute(query, *args, **said)

    usual, driver.cursor_factory = driver.cursor_factory, Heard
    yield sent
    driver.cursor_factory = usual


def test_an_entry_is_one_insert_without_a_look_or_a_lock(disk_app: Flask) -> None:
    stage(disk_app, "the first of the process")
    with disk_app.app_context(), transaction() as tx, statements(tx) as sent:
        record(tx, "session.ended", {"account": "somebody", "subject": "s"}, NOON)
    (only,) = sent
    assert only.startswith("INSERT INTO audit_staged")


def test_what_is_staged_is_no_entry_until_it_is_sequenced(disk_app: Flask) -> None:
    stage(disk_app, "a", "b", account="somebody")
    assert (count(disk_app, AuditEntry), count(disk_app, AuditSubject)) == (0, 0)
    with disk_app.app_context():
        assert sequence_next() is False
    assert placed(disk_app) == ["a", "b"]
    assert (count(disk_app, AuditStaged), count(disk_app, AuditSubject)) == (0, 2)


def test_a_batch_that_fails_is_sequenced_once_by_the_next(disk_app: Flask) -> None:
    stage(disk_app, "a", "b")
    with disk_app.app_context(), contextlib.suppress(InterruptedError), transaction() as tx:
        assert sequencer.sequence(tx, NOON) == 2
        raise InterruptedError
    assert (count(disk_app, AuditStaged), count(disk_app, AuditEntry)) == (2, 0)
    sequenced(disk_app)
    assert placed(disk_app) == ["a", "b"]


def test_batches_fill_tiles_as_single_entries_do(disk_app: Flask) -> None:
    stage(disk_app, *map(str, range(600)))
    with disk_app.app_context(), transaction() as tx:
        for most in (100, 200, 1, 299):
            assert sequencer.sequence(tx, NOON, most) == most
    assert placed(disk_app) == list(map(str, range(600)))
    assert count(disk_app, AuditTile) == 2
    told = disk_app.test_cli_runner().invoke(args=["audit", "verify"])
    assert "The record holds" in told.output


@on_postgresql
def test_a_leaf_that_was_committed_late_gets_the_next_index(disk_app: Flask) -> None:
    with disk_app.app_context():
        slow = Session(db.engine)
        record(slow, "session.ended", {"session": "slow"}, NOON)
        stage(disk_app, "quick")  # nobody waits for the slow one
        sequenced(disk_app)
        assert placed(disk_app) == ["quick"]
        slow.commit()
        slow.close()
    sequenced(disk_app)
    assert placed(disk_app) == ["quick", "slow"]
    assert count(disk_app, AuditStaged) == 0


@on_postgresql
def test_of_two_workers_one_leads_and_the_other_does_not_wait(disk_app: Flask) -> None:
    stage(disk_app, "a")
    with disk_app.app_context():
        with Session(db.engine) as other:
            assert turn.is_free(other.connection())
            assert sequence_next() is False
            assert count(disk_app, AuditStaged) == 1
        sequence_next()
    assert placed(disk_app) == ["a"]


def test_erasing_unlinks_what_is_staged_too(disk_app: Flask) -> None:
    stage(disk_app, "placed", account="somebody")
    sequenced(disk_app)
    stage(disk_app, "staged", account="somebody")
    stage(disk_app, "another's", account="another")
    with disk_app.app_context(), transaction() as tx:
        erase(tx, "somebody")
    with disk_app.app_context(), reading() as tx:
        staged = tx.execute(_LINKS).all()
        assert [row for row in staged if row.account_id is None and row.salt is not None] == []
        assert [row.account_id for row in staged] == [None, "another", None]
    sequenced(disk_app)
    with disk_app.app_context(), reading() as tx:
        assert tx.scalars(select(AuditSubject.account_id)).all() == ["another"]
        last = tx.scalar(select(AuditEntry.leaf).order_by(AuditEntry.idx.desc()).limit(1))
    assert read_leaf(last or b"")["facts"] == {"entries": 2}


@on_postgresql
def test_no_link_slips_past_an_erasure_on_its_way_into_the_tree(disk_app: Flask) -> None:
    stage(disk_app, "a", account="somebody")

    def erased() -> None:
        with disk_app.app_context(), transaction() as tx:
            erase(tx, "somebody")
            db.session.flush()

    with disk_app.app_context():
        with Session(db.engine) as leader:
            sequencer.sequence(leader, NOON)
            eraser = threading.Thread(target=erased)
            eraser.start()
            eraser.join(0.5)
            assert eraser.is_alive()
            leader.commit()
        eraser.join(10)
    sequenced(disk_app)
    assert count(disk_app, AuditSubject) == 0


def test_a_reader_finds_all_that_was_committed_before_though_no_worker_runs(
    app: Flask, get: Getter
) -> None:
    stage(app, "a", "b")
    assert len(body(get("/entries"))["entries"]) == 2
    stage(app, "c")
    assert body(get("/entries/3"))["entry"]["facts"]["session"] == "c"
    # Every read is staged in its turn: 0 to 3, and the two that were asked before this one.
    assert get("/entries/4").status_code == 200
    assert body(get("/entries/4/proof"))["index"] == 4


def test_who_brings_no_token_moves_nothing(app: Flask) -> None:
    stage(app, "a")
    assert app.test_client().get("/api/v1/entries").status_code == 401
    assert count(app, AuditStaged) == 1


def test_the_last_entries_are_signed_within_a_minute_though_nothing_follows(
    app: Flask, clock: StoppedClock
) -> None:
    stage(app, "a")
    with app.app_context():
        sequence_next()
        clock.forward(seconds=59)
        sequence_next()
        assert count(app, AuditCheckpoint) == 0
        clock.forward(seconds=1)
        sequence_next()
        assert count(app, AuditCheckpoint) == 1
        with reading() as tx:
            assert not sequencer.is_due(tx, clock() + timedelta(days=1))


def test_the_house_sequences_with_all_that_it_does(app: Flask) -> None:
    stage(app, *map(str, range(300)))
    assert app.test_cli_runner().invoke(args=["work", "--once"]).exit_code == 0
    assert len(placed(app)) == 300


def test_an_operator_may_sequence_and_do_nothing_else(app: Flask) -> None:
    stage(app, *map(str, range(600)))
    assert app.test_cli_runner().invoke(args=["audit", "sequence", "--once"]).exit_code == 0
    assert len(placed(app)) == 600


def with_rooms(app: Flask, *rooms: Feature) -> None:
    app.extensions["broker"] = replace(app.extensions["broker"], features=rooms)


def test_long_work_of_another_room_does_not_delay_the_sequencer(disk_app: Flask) -> None:
    def long() -> bool:
        for _ in range(500):
            if count(disk_app, AuditEntry):
                raise InterruptedError  # and so ends `work`
            time.sleep(0.02)
        return False

    stage(disk_app, "a")
    with_rooms(disk_app, Feature("slow", work=long), audit.feature)
    told = disk_app.test_cli_runner().invoke(args=["work"])
    assert isinstance(told.exception, InterruptedError)
    assert placed(disk_app) == ["a"]


def test_a_worker_whose_sequencer_fails_ends_with_its_failure(disk_app: Flask) -> None:
    def fails(_pause: object) -> None:
        raise InterruptedError

    with_rooms(disk_app, Feature("broken", steady=fails))
    told = disk_app.test_cli_runner().invoke(args=["work"])
    assert isinstance(told.exception, InterruptedError)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_sequencer_outlives_a_database_that_is_away(disk_app: Flask) -> None:
    pauses: list[float] = []
    with disk_app.app_context():
        with transaction() as tx:
            tx.execute(text("ALTER TABLE audit_staged RENAME TO away"))

        def back(pause: float) -> bool:
            pauses.append(pause)
            if len(pauses) == 1:
                with transaction() as tx:
                    tx.execute(text("ALTER TABLE away RENAME TO audit_staged"))
                stage(disk_app, "a")
            return len(pauses) == 2

        keep_sequencing(back)
    assert placed(disk_app) == ["a"]


@pytest.mark.parametrize(
    ("waited", "came", "portion", "then"),
    [
        pytest.param(1.0, 0, 128, 1.0, id="nothing came"),
        pytest.param(0.05, 0, 128, 1.0, id="nothing came in a moment"),
        pytest.param(1.0, 640, 128, 0.2, id="five portions came"),
        pytest.param(0.2, 128, 128, 0.2, id="one portion came"),
        pytest.param(0.2, 32, 128, 0.8, id="a quarter of one came"),
        pytest.param(0.2, 1, 128, 1.0, id="one entry came"),
        pytest.param(0.05, 1000, 128, 0.05, id="more than may be placed so quickly"),
        pytest.param(1.0, numbering.BATCH, 128, 0.0, id="a whole batch, and more may wait"),
        pytest.param(0.0, 64, 128, 0.1, id="the rest after a whole batch"),
    ],
)
def test_the_next_look_is_when_a_portion_has_come(
    waited: float, came: int, portion: int, then: float
) -> None:
    after = next_look(timedelta(seconds=waited), came, portion)
    assert after == timedelta(seconds=then)


def test_how_far_the_tree_is_behind_is_told(app: Flask) -> None:
    with app.app_context():
        with reading() as tx:
            assert sequencer.lag(tx, NOON) == sequencer.Lag(0.0, 0)
        stage(app, "a", "b", "c")
        with reading() as tx:
            assert sequencer.lag(tx, NOON + timedelta(seconds=7)) == sequencer.Lag(7.0, 3)
            assert sequencer.lag(tx, NOON - timedelta(seconds=7)).seconds == 0.0


def test_a_record_that_may_not_grow_keeps_what_is_staged_and_says_so(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    fill(app, 5)
    with app.app_context(), transaction() as tx:
        checkpoint.latest(tx, NOON)
        tx.execute(delete(AuditEntry).where(AuditEntry.idx >= 3))
    stage(app, *map(str, range(300)))
    runner = app.test_cli_runner()
    assert runner.invoke(args=["work", "--once"]).exit_code == 0
    assert "the record is not sequenced: record_altered" in caplog.text
    assert count(app, AuditStaged) == 300
    told = runner.invoke(args=["audit", "verify"])
    assert told.exit_code == 1
    assert "what was recorded since is not sequenced" in told.output


def test_where_the_sequencer_refuses_running_processes_record_no_more(disk_app: Flask) -> None:
    stage(disk_app, "a")
    with disk_app.app_context():
        with transaction() as tx:
            ahead = {"origin": "broker.test", "witness": "w", "size": 9, "time": NOON}
            tx.execute(insert(AuditAhead), ahead)
        stage(disk_app, "b")  # nobody has noticed yet
        sequence_next()
        with pytest.raises(RecordAltered, match="refuses"):
            stage(disk_app, "c")
        with transaction() as tx:
            tx.execute(delete(AuditAhead))
        with pytest.raises(RecordAltered, match="refuses"):
            stage(disk_app, "d")
        sequence_next()
        stage(disk_app, "e")
        sequence_next()
    assert placed(disk_app) == ["a", "b", "e"]


def test_a_refusal_is_taken_back_though_nothing_waits(app: Flask) -> None:
    with app.app_context():
        with transaction() as tx:
            sequencer.refuse(tx, "a backup was restored", NOON)
            sequencer.refuse(tx, "the same again", NOON)
        assert count(app, AuditRefusal) == 1
        sequence_next()
    assert count(app, AuditRefusal) == 0
    stage(app, "a")


def test_a_staged_leaf_that_was_altered_is_not_sequenced(app: Flask) -> None:
    stage(app, "a")
    with app.app_context(), transaction() as tx:
        tx.execute(update(AuditStaged).values(leaf=b"{}"))
    told = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert told.exit_code == 1
    assert "a staged leaf cannot be read" in told.output
    assert "The entries hold" in told.output


def test_nothing_staged_is_lost_by_an_older_house(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/broker.sqlite3"
    command.upgrade(alembic_config(url), "head")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(AuditStaged), {"leaf": b"{}"})
    with pytest.raises(RuntimeError, match="audit sequence"):
        command.downgrade(alembic_config(url), "0008")
    with engine.begin() as connection:
        connection.execute(delete(AuditStaged))
    engine.dispose()
    command.downgrade(alembic_config(url), "0008")


# What is asked on the way to a token.


def test_a_policy_that_was_found_is_not_asked_for_again_for_ten_minutes(app: Flask) -> None:
    for _ in range(2):  # made by one request, found committed by another
        with app.app_context(), transaction() as tx:
            activation.note(tx, "v1", NOON)
    with app.app_context():
        with transaction() as tx:
            with statements(tx) as sent:
                activation.note(tx, "v1", NOON + activation.ASK_AGAIN - timedelta(seconds=1))
            assert sent == []
            tx.execute(delete(AuditPolicy))  # as a restored backup would
            activation.note(tx, "v1", NOON + activation.ASK_AGAIN)
        assert count(app, AuditPolicy) == 1


def test_a_policy_noted_in_a_transaction_that_failed_is_noted_by_the_next(app: Flask) -> None:
    with app.app_context():
        with contextlib.suppress(InterruptedError), transaction() as tx:
            for _ in range(2):
                activation.note(tx, "v1", NOON)
            raise InterruptedError
        with transaction() as tx:
            activation.note(tx, "v1", NOON)
        assert count(app, AuditPolicy) == 1


@pytest.fixture
def witnessed(app: Flask) -> Flask:
    """A quorum that nobody fills, missing for ten minutes at most."""
    house = app.extensions["broker"]
    audit = AuditSettings(quorum=1, unseen_limit=timedelta(minutes=10))
    settings = house.settings.model_copy(update={"audit": audit})
    app.extensions["broker"] = replace(house, settings=settings)
    return app


def trusted(app: Flask, **later: int) -> tuple[bool, int]:
    """Whether the witnesses are trusted then, and how many statements it took to say so."""
    with app.app_context(), reading() as tx, statements(tx) as sent:
        return witnesses.trusted(tx, NOON + timedelta(**later)), len(sent)


def test_trust_costs_nothing_for_a_minute_and_never_outlasts_its_limit(witnessed: Flask) -> None:
    fill(witnessed, 5)
    with witnessed.app_context(), transaction() as tx:
        checkpoint.latest(tx, NOON)
    assert trusted(witnessed) == (True, 3)
    assert trusted(witnessed, seconds=59) == (True, 0)
    assert trusted(witnessed, minutes=9, seconds=30) == (True, 3)
    assert trusted(witnessed, minutes=9, seconds=59) == (True, 0)
    assert trusted(witnessed, minutes=10) == (False, 3)
    assert trusted(witnessed, minutes=10) == (False, 3)


def test_a_sequencer_that_stands_still_loses_the_witnesses_trust(witnessed: Flask) -> None:
    stage(witnessed, "a")
    assert trusted(witnessed, minutes=9, seconds=59)[0]
    assert not trusted(witnessed, minutes=10)[0]


def test_a_database_that_lost_its_tail_records_nothing_in_a_new_process(app: Flask) -> None:
    # `test_mark.py` has the whole story; here: before any lock, and at the first entry.
    fill(app, 5)
    with app.app_context(), transaction() as tx:
        assert numbering.size(tx.connection()) == 5
        tx.execute(text("INSERT INTO audit_ahead VALUES ('broker.test', 'w', 9, '2026-11-23')"))
    app.extensions.pop("audit_proved")
    with pytest.raises(Exception, match="a witness has seen 9"):
        stage(app, "a")
    assert count(app, AuditStaged) == 0
