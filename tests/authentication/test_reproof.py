"""What ends the cooling of a key that came by a recovery code, and what does not."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from broker.audit.log import record
from broker.authentication.models import Authenticator
from broker.db import reading, transaction
from broker.feature import Feature
from broker.identity.evidence import Evidence
from tests.authentication.test_recovery import make, use
from tests.authentication.test_sign_in import recorded
from tests.conftest import StoppedClock
from tests.people import add_key, enrol, new_key


@dataclass
class Files:
    """A room where evidence is filed, newest first."""

    held: list[Evidence] = field(default_factory=list)

    def of(self, _tx: Session, _account_id: str) -> list[Evidence]:
        return self.held


@pytest.fixture
def files(app: Flask) -> Iterator[Files]:
    files, tools = Files(), app.extensions["broker"]
    room = Feature("cellar", evidence=files.of)
    app.extensions["broker"] = replace(tools, features=(*tools.features, room))
    yield files
    app.extensions["broker"] = tools


def prove(app: Flask, files: Files, kind: str, at: datetime) -> None:
    """The account shows evidence of this kind."""
    files.held.insert(0, Evidence(kind, (), (), at))
    with app.app_context(), transaction() as tx:
        account = tx.scalars(select(Authenticator.account_id)).first()
        facts = {"account": account, "kind": kind, "evidence": "e", "digest": "d"}
        record(tx, "evidence.accepted", facts, at)


def is_cooling(app: Flask, now: datetime) -> bool:
    with app.app_context(), reading() as tx:
        ends = tx.scalars(select(Authenticator.full_from))
        return any(end is not None and now < end for end in ends)


def come_back(app: Flask, client: FlaskClient, clock: StoppedClock) -> None:
    """The person enrols a key by a recovery code, a minute later."""
    codes = make(client)
    clock.now += timedelta(minutes=1)
    stranger = app.test_client()
    use(stranger, codes[0])
    add_key(stranger, new_key())
    assert is_cooling(app, clock.now)
    clock.now += timedelta(minutes=1)


def test_proving_again_at_the_level_of_before_ends_the_cooling(
    app: Flask, client: FlaskClient, clock: StoppedClock, files: Files
) -> None:
    enrol(client)
    prove(app, files, "eidas_substantial", clock.now)
    come_back(app, client, clock)
    prove(app, files, "eidas_substantial", clock.now)
    assert not is_cooling(app, clock.now)
    assert [entry["keys"] for entry in recorded(app, "recovery.confirmed")] == [1]


def test_proving_less_than_before_does_not(
    app: Flask, client: FlaskClient, clock: StoppedClock, files: Files
) -> None:
    enrol(client)
    prove(app, files, "eidas_substantial", clock.now)
    come_back(app, client, clock)
    prove(app, files, "eidas_low", clock.now)
    assert is_cooling(app, clock.now)


def test_a_photographed_zone_ends_no_cooling(
    app: Flask, client: FlaskClient, clock: StoppedClock, files: Files
) -> None:
    enrol(client)
    prove(app, files, "mrz_photo", clock.now)
    come_back(app, client, clock)
    prove(app, files, "mrz_photo", clock.now)
    assert is_cooling(app, clock.now)


def test_where_nothing_was_verified_before_no_proof_ends_it(
    app: Flask, client: FlaskClient, clock: StoppedClock, files: Files
) -> None:
    """The finder of a sheet could prove who they themselves are."""
    enrol(client)
    come_back(app, client, clock)
    prove(app, files, "eidas_high", clock.now)
    assert is_cooling(app, clock.now)


def test_a_proof_without_a_cooling_key_changes_nothing(
    app: Flask, client: FlaskClient, clock: StoppedClock, files: Files
) -> None:
    enrol(client)
    prove(app, files, "eidas_high", clock.now)
    assert recorded(app, "recovery.confirmed") == []
