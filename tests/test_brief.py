"""Brief units of work: each stands or falls alone, and none is over before it is committed."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoTurn
from sqlalchemy.orm import Session

from broker import brief
from broker.accounts.models import Account
from broker.brief import Batch, NotBrief
from broker.consent.models import Consent
from broker.db import briefly, db, in_turn, reading, reading_briefly, transaction
from broker.prepared import Prepared
from broker.serving import by
from broker.turns import Writer
from tests.conftest import NOON

ADD = Prepared(insert(Account))
EVERY = Prepared(select(Account.id).order_by(Account.id))
AGREE = Prepared(insert(Consent))
AGREED = Prepared(
    select(Consent.scope, Consent.details, Consent.at).where(
        Consent.account_id == bindparam("account")
    )
)
AGREEMENT: dict[str, Any] = {"client_id": "service", "client_name": {"ar": "خدمة"}, "claims": []}
NOBODYS = {"account_id": "nobody", "scope": [], "details": [], "at": NOON, **AGREEMENT}

Deed = Callable[[Session], object]


def accounts(app: Flask) -> list[str]:
    with app.app_context(), reading() as tx:
        return [row.id for row in EVERY.all(tx)]


def do(app: Flask, *deeds: Deed) -> None:
    def work() -> None:
        for deed in deeds:
            with briefly() as tx:
                deed(tx)

    with by(app):
        in_turn(work)


def adding(name: str) -> Deed:
    return lambda tx: ADD.run(tx, id=name, created=NOON)


def failing(tx: Session) -> None:
    ADD.run(tx, id="undone", created=NOON)
    raise LookupError


def test_what_a_unit_wrote_is_there_for_everybody_once_it_is_over(disk_app: Flask) -> None:
    do(disk_app, adding("a"), adding("b"))
    assert accounts(disk_app) == ["a", "b"]


def test_a_unit_that_fails_is_undone_and_the_one_before_it_stands(disk_app: Flask) -> None:
    with pytest.raises(LookupError):
        do(disk_app, adding("a"), failing)
    with pytest.raises(LookupError):
        do(disk_app, failing)
    do(disk_app, adding("b"))
    assert accounts(disk_app) == ["a", "b"]


def test_values_come_back_in_the_types_of_the_table(disk_app: Flask) -> None:
    said = {"scope": ["openid"], "details": [{"é": None}], "at": NOON + timedelta(microseconds=1)}
    do(disk_app, adding("a"), lambda tx: AGREE.run(tx, account_id="a", **said, **AGREEMENT))

    def look() -> None:
        with reading_briefly() as tx:
            assert AGREED.first(tx, account="a")._asdict() == said
            assert AGREED.first(tx, account="b") is None

    with by(disk_app):
        in_turn(look)
    with disk_app.app_context(), reading() as session:
        assert AGREED.first(session, account="a")._asdict() == said


def test_a_unit_reads_what_it_wrote_and_a_reader_does_not_yet(disk_app: Flask) -> None:
    seen: list[str] = []
    do(disk_app, adding("a"), lambda tx: seen.extend(row.id for row in EVERY.all(tx)))
    assert seen == ["a"]


def test_what_the_database_refuses_is_told_as_everywhere(disk_app: Flask) -> None:
    with pytest.raises(IntegrityError):
        do(disk_app, adding("a"), adding("a"))
    assert accounts(disk_app) == ["a"]


@pytest.mark.parametrize(
    "asked",
    [
        lambda tx: tx.add(Account(id="x", created=NOON)),
        lambda tx: tx.get(Account, "x"),
        lambda tx: tx.execute(select(Account)),
        lambda tx: tx.scalars(select(Account)),
        lambda tx: tx.scalar(select(Account)),
        lambda tx: tx.merge(Account(id="x", created=NOON)),
        lambda tx: tx.delete(Account(id="x", created=NOON)),
        lambda tx: tx.flush(),
        lambda tx: tx.connection(),
        lambda tx: tx.begin_nested(),
        lambda tx: tx.get_bind(),
    ],
    ids=[
        "add",
        "get",
        "execute",
        "scalars",
        "scalar",
        "merge",
        "delete",
        "flush",
        "connection",
        "nested",
        "bind",
    ],
)
def test_whatever_else_a_session_can_do_undoes_a_brief_unit(app: Flask, asked: Deed) -> None:
    def deed(tx: Session) -> None:
        ADD.run(tx, id="undone", created=NOON)
        asked(tx)

    with pytest.raises(NotBrief):
        do(app, deed)
    assert accounts(app) == []


# Several threads on SQLite; PostgreSQL puts commits together by itself

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def writer(disk_app: Flask) -> Writer:
    found: Writer = disk_app.extensions["broker_database"].writer
    return found


def at_once(writer: Writer, *runs: Callable[[], None]) -> None:
    """Each in a thread of its own, in one transaction: the first serves when all others wait."""
    threads = [threading.Thread(target=run) for run in runs]
    with writer.alone():
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(writer._errands) < number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()


def together(app: Flask, writer: Writer, *deeds: Deed) -> list[BaseException | None]:
    """What became of each, all of them in one transaction."""
    heard: list[BaseException | None] = [None] * len(deeds)

    def run(place: int, deed: Deed) -> None:
        try:
            do(app, deed)
        except Exception as error:  # noqa: BLE001  it is what is asked for
            heard[place] = error

    at_once(writer, *(partial(run, *each) for each in enumerate(deeds)))
    return heard


@on_sqlite
def test_of_units_that_share_a_commit_one_that_fails_is_undone_alone(
    disk_app: Flask, writer: Writer
) -> None:
    heard = together(disk_app, writer, adding("a"), failing, adding("b"), failing, adding("c"))
    assert [type(each) for each in heard] == [
        type(None), LookupError, type(None), LookupError, type(None),
    ]  # fmt: skip
    assert accounts(disk_app) == ["a", "b", "c"]


@on_sqlite
def test_where_the_commit_fails_everybody_hears_it_and_nothing_is_kept(
    disk_app: Flask, writer: Writer
) -> None:
    def owing(tx: Session) -> None:
        # SQLite looks at this foreign key at the commit only, which is then refused.
        tx.cursor.execute("PRAGMA defer_foreign_keys=ON")  # type: ignore[attr-defined]
        AGREE.run(tx, **NOBODYS)

    heard = together(disk_app, writer, owing, adding("a"), adding("b"))
    assert all(isinstance(each, DBAPIError) for each in heard)
    assert accounts(disk_app) == []
    do(disk_app, adding("c"))
    assert accounts(disk_app) == ["c"]


@on_sqlite
def test_where_sqlite_undoes_all_by_itself_those_before_hear_it_and_those_after_begin_anew(
    disk_app: Flask, writer: Writer
) -> None:
    def full(tx: Session) -> None:
        ADD.run(tx, id="undone", created=NOON)
        tx.cursor.execute("ROLLBACK")  # type: ignore[attr-defined]  # as at SQLITE_FULL
        raise LookupError

    heard = together(disk_app, writer, adding("a"), adding("b"), full, adding("c"))
    told = [each for each in heard if each is not None]
    assert sum(isinstance(each, LookupError) for each in told) == 1
    lost = {name for name, each in zip("ab-c", heard, strict=True) if isinstance(each, DBAPIError)}
    assert lost.isdisjoint(accounts(disk_app))
    assert {*"abc"} - lost == {*accounts(disk_app)}
    do(disk_app, adding("d"))
    assert "d" in accounts(disk_app)


@on_sqlite
def test_a_unit_waits_for_another_process_that_writes(
    disk_app: Flask, database_url: str, writer: Writer
) -> None:
    assert writer
    do(disk_app, adding("a"))
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.1, other.commit).start()
    do(disk_app, adding("b"))
    assert accounts(disk_app) == ["a", "b"]
    other.close()


@on_sqlite
def test_a_unit_waits_for_nobody_for_ever(
    disk_app: Flask, database_url: str, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert writer
    do(disk_app, adding("a"))
    monkeypatch.setattr(brief, "WAIT_S", 0.05)
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        do(disk_app, adding("undone"))
    other.close()
    do(disk_app, adding("b"))
    assert accounts(disk_app) == ["a", "b"]


@on_sqlite
def test_a_session_of_a_page_waits_for_the_turn_and_finds_what_was_written(
    disk_app: Flask, writer: Writer
) -> None:
    seen: list[str] = []

    def page() -> None:
        with disk_app.app_context(), transaction() as tx:
            seen.extend(row.id for row in EVERY.all(tx))
            tx.add(Account(id="z", created=NOON))

    thread = threading.Thread(target=page)

    def work(tx: Session) -> None:
        ADD.run(tx, id="a", created=NOON)
        thread.start()
        time.sleep(0.05)
        assert seen == []

    do(disk_app, work)
    thread.join()
    assert (seen, accounts(disk_app)) == (["a"], ["a", "z"])


@on_sqlite
def test_a_reader_sees_what_is_committed_and_holds_no_writer_up(
    disk_app: Flask, writer: Writer
) -> None:
    def work(tx: Session) -> None:
        ADD.run(tx, id="a", created=NOON)
        with reading_briefly() as other:
            assert EVERY.all(other) == []

    do(disk_app, work)
    assert accounts(disk_app) == ["a"]


@on_sqlite
def test_what_was_written_is_not_told_where_nobody_committed_it(
    disk_app: Flask, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(_: object) -> bool:
        raise MemoryError

    monkeypatch.setattr("broker.brief.Batch.close", torn)
    heard = together(disk_app, writer, adding("a"), adding("b"))
    assert all(isinstance(each, MemoryError | SQLAlchemyError) for each in heard)


@on_sqlite
def test_whoever_only_reads_does_not_wait_for_the_disk(disk_app: Flask, writer: Writer) -> None:
    done: list[str] = []
    heard: list[bool] = []
    told, close = threading.Event(), Batch.close

    def slow(batch: Batch) -> bool:
        heard.append(told.wait(5))  # before anything is committed
        return close(batch)

    def read() -> None:
        with by(disk_app):
            in_turn(lambda: _count(done))
        told.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batch, "close", slow)
        at_once(writer, partial(do, disk_app, adding("a")), read)
    assert (done, heard, accounts(disk_app)) == (["0 rows"], [True], ["a"])


def _count(told: list[str]) -> None:
    with reading_briefly() as tx:
        told.append(f"{len(EVERY.all(tx))} rows")


@on_sqlite
def test_what_one_thread_does_for_another_is_done_as_if_by_itself(
    disk_app: Flask, writer: Writer
) -> None:
    whose: ContextVar[str] = ContextVar("whose")
    seen: list[tuple[str, str]] = []

    def run(name: str) -> None:
        whose.set(name)
        do(disk_app, lambda _: seen.append((name, whose.get())))

    at_once(writer, *(partial(run, name) for name in "abc"))
    assert sorted(seen) == [(name, name) for name in "abc"]


@on_sqlite
def test_nobody_waits_for_their_turn_for_ever(
    disk_app: Flask, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(disk_app, adding("a"))
    monkeypatch.setattr(brief, "WAIT_S", 0.05)
    heard: list[type[BaseException]] = []

    def late() -> None:
        try:
            do(disk_app, adding("late"))
        except Exception as error:  # noqa: BLE001  it is what is asked for
            heard.append(type(error))

    with writer.alone():
        thread = threading.Thread(target=late)
        thread.start()
        thread.join()
    do(disk_app, adding("b"))
    assert (heard, accounts(disk_app)) == ([NoTurn], ["a", "b"])


@on_sqlite
def test_a_connection_that_waited_for_nobody_waits_again_once_it_is_given_back(
    disk_app: Flask,
) -> None:
    with disk_app.app_context():
        pooled = brief.hasty(db.engine)
    driver: Any = pooled.driver_connection
    assert driver.execute("PRAGMA busy_timeout").fetchone() == (1,)
    brief.give_back(pooled)
    assert driver.execute("PRAGMA busy_timeout").fetchone() == (10_000,)


@on_sqlite
def test_who_only_reads_is_left_to_somebody_more_patient_where_sqlite_is_busy(
    disk_app: Flask,
) -> None:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    with disk_app.app_context():
        engine = db.engine
    pooled = brief.hasty(engine)
    driver: Any = pooled.driver_connection
    with pytest.raises(NotBrief), brief.reading(engine.dialect, pooled):
        raise brief.known(engine.dialect, pooled, busy, "SELECT")
    assert driver.execute("PRAGMA busy_timeout").fetchone() == (10_000,)
