"""The broker and real witnesses: the program of `miftah_verify`, over HTTP."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from broker.app import FEATURES, create_app
from broker.audit import checkpoint, witnesses
from broker.audit.commands import round_of_witnesses
from broker.audit.log import record
from broker.audit.models import AuditAhead, AuditCheckpoint, AuditCosignature, AuditEntry
from broker.audit.note import NoteRejected
from broker.audit.tree import RecordAltered
from broker.db import db, reading, transaction
from broker.feature import Feature
from broker.identity.evidence import Evidence
from broker.outbound import Outbound
from broker.settings import AuditSettings, Settings
from broker.web.tools import Tools
from miftah_verify.note import open_checkpoint, parse_key
from miftah_verify.serve import main, open_witness, server
from tests.audit.conftest import fill
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.service import answer, register, settle


def strong(tx: object, account_id: str) -> tuple[Evidence, ...]:
    """A room that has filed for everybody what grants P3."""
    return (Evidence("eidas_high", (), (), NOON),)


@pytest.fixture
def key(app: Flask) -> str:
    with app.app_context():
        return str(checkpoint.log_key())


@pytest.fixture
def witness(
    tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> Iterator[tuple[str, Path]]:
    """The line of the settings for a witness that is running, and its folder."""
    folder = tmp_path / "witness"
    assert main(["init", str(folder), "w.test"]) == 0
    line = capsys.readouterr().out.strip()
    running = server(open_witness(folder, [key]), ("127.0.0.1", 0))
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"{line} http://127.0.0.1:{running.server_port}/add-checkpoint", folder
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def town(tools: Tools, witness: tuple[str, Path]) -> Iterator[Flask]:
    """A broker with that witness, whose people have all proved who they are up to P3."""
    audit = AuditSettings(witnesses=(witness[0],), quorum=1, unseen_limit=timedelta(minutes=10))
    features = (*FEATURES, Feature("strong", evidence=strong))
    settings = Settings(issuer=ISSUER, database_url="sqlite://", audit=audit)
    app = create_app(
        replace(tools, settings=settings, outbound=Outbound(local=True), features=features)
    )
    app.testing = True
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def go_round(app: Flask) -> list[str]:
    with app.app_context():
        return round_of_witnesses()


def head(app: Flask) -> str:
    with app.app_context(), transaction() as tx:
        return checkpoint.latest(tx, NOON)


def test_a_checkpoint_is_cosigned_and_shown_with_it(
    town: Flask, witness: tuple[str, Path], key: str
) -> None:
    fill(town, 5)
    head(town)
    assert go_round(town) == []
    seen = open_checkpoint(head(town), parse_key(key), [parse_key(witness[0].split()[0])]).seen
    assert len(seen) == 1
    fill(town, 300)
    head(town)
    assert go_round(town) == []
    assert go_round(town) == []
    with town.app_context(), reading() as tx:
        assert tx.scalar(select(func.max(AuditCosignature.size))) == 305


def test_the_round_itself_makes_the_checkpoint_that_is_owed(
    town: Flask, clock: StoppedClock
) -> None:
    fill(town, 5)
    clock.forward(seconds=60)
    assert go_round(town) == []
    with town.app_context(), reading() as tx:
        assert tx.scalar(select(AuditCosignature.size)) == 5


def test_a_broker_that_forgot_what_was_cosigned_is_told_and_goes_on(town: Flask) -> None:
    fill(town, 5)
    head(town)
    go_round(town)
    with town.app_context(), transaction() as tx:
        tx.execute(delete(AuditCosignature))
    fill(town, 5)
    head(town)
    assert go_round(town) == []


def test_a_witness_that_saw_more_than_there_is_stops_the_log(town: Flask) -> None:
    fill(town, 9)
    head(town)
    go_round(town)
    with town.app_context(), transaction() as tx:  # as in a backup of before
        for table in (AuditCosignature, AuditCheckpoint):
            tx.execute(delete(table))
        tx.execute(delete(AuditEntry).where(AuditEntry.idx >= 5))
    head(town)
    assert "409" in go_round(town)[0]
    with town.app_context(), reading() as tx:
        assert tx.scalar(select(AuditAhead.size)) == 9
    town.extensions.pop("audit_proved")
    with (
        town.app_context(),
        pytest.raises(RecordAltered, match="a witness has seen 9"),
        transaction() as tx,
    ):
        record(tx, "session.ended", {}, NOON)


def test_a_witness_that_does_not_answer_is_named(town: Flask, tools: Tools) -> None:
    fill(town, 5)
    head(town)
    house = town.extensions["broker"]
    line = house.settings.audit.witnesses[0].split()[0] + " http://127.0.0.1:9/add-checkpoint"
    audit = AuditSettings(witnesses=(line,), quorum=1)
    settings = house.settings.model_copy(update={"audit": audit})
    town.extensions["broker"] = replace(house, settings=settings)
    assert go_round(town) == ["w.test: 0 upstream_unavailable"]


def test_above_p1_nothing_is_issued_while_the_quorum_is_missing(
    town: Flask, clock: StoppedClock
) -> None:
    service, client = register(town), town.test_client()
    settle(town, client, agreed=("openid",))
    assert "code" in answer(service.ask(client))
    head(town)
    clock.forward(minutes=9, seconds=59)
    assert "code" in answer(service.ask(client))
    clock.forward(seconds=1)
    refused = answer(service.ask(client))
    assert refused["error"] == "temporarily_unavailable"
    assert go_round(town) == []
    assert "code" in answer(service.ask(client))


def test_at_p1_and_below_everything_goes_on(town: Flask, clock: StoppedClock) -> None:
    house = town.extensions["broker"]
    town.extensions["broker"] = replace(house, features=FEATURES)
    service, client = register(town), town.test_client()
    settle(town, client, agreed=("openid",))
    head(town)
    clock.forward(minutes=11)
    assert "code" in answer(service.ask(client))


def test_without_a_quorum_nobody_is_waited_for(app: Flask) -> None:
    fill(app, 3)
    head(app)
    with app.app_context(), reading() as tx:
        assert witnesses.trusted(tx, NOON + timedelta(days=365))


@pytest.mark.parametrize(
    "line", ["", "nonsense", "a+b+c https://w.test", "LOG https://w.test", "w+00000000+ ftp://x"]
)
def test_a_witness_that_makes_no_sense_is_refused(app: Flask, key: str, line: str) -> None:
    house = app.extensions["broker"]
    audit = AuditSettings(witnesses=(line.replace("LOG", key),))
    settings = house.settings.model_copy(update={"audit": audit})
    app.extensions["broker"] = replace(house, settings=settings)
    with app.app_context(), pytest.raises(NoteRejected):
        witnesses.configured()
