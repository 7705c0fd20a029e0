"""/metrics: for the operator's Prometheus, and for nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from werkzeug.test import TestResponse

from broker.app import create_app
from broker.audit.log import record
from broker.audit.models import AuditEntry
from broker.db import db, reading, transaction
from broker.measuring.catalogue import BY_NAME, KEY_AGE
from broker.web.metrics import TokenRejected
from broker.web.tools import Tools
from tests import metering
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.metering import TOKEN


@pytest.fixture
def app(tools: Tools, tmp_path: Path) -> Iterator[Flask]:
    with metering.measured(metering.metered(tools, tmp_path)) as app:
        yield app


def ask(app: Flask, authorization: str = f"Bearer {TOKEN}", path: str = "/metrics") -> TestResponse:
    return app.test_client().get(path, base_url=ISSUER, headers={"Authorization": authorization})


def samples(answer: TestResponse) -> dict[str, dict[tuple[str, ...], float]]:
    """As Prometheus reads it: name → label values → value."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"bearer{TOKEN}", f"Bearer {TOKEN}x"]
)
def test_without_the_token_nothing_is_told(app: Flask, shown: str) -> None:
    answer = ask(app, shown)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "broker_" not in answer.text


def test_prometheus_reads_what_is_told_and_every_name_is_known(app: Flask) -> None:
    ask(app)
    answer = ask(app)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"broker_http_request_seconds", "broker_database_up", "broker_processes"} <= names
    assert names <= {name.removesuffix("_total") for name in BY_NAME}


def test_no_cookie_comes_with_it_and_no_entry_is_made(app: Flask) -> None:
    answer = ask(app, path="/metrics?ui_locales=ar")
    assert "Set-Cookie" not in answer.headers
    with app.app_context(), reading() as tx:
        assert tx.query(AuditEntry).count() == 0


def test_the_age_of_the_keys_is_told(app: Flask, clock: StoppedClock) -> None:
    clock.forward(days=3)
    ages = samples(ask(app))[KEY_AGE.name]
    assert ages["ES256",] == 4 * 86400  # the tests' keys sign from the day before


def test_the_record_and_its_lag_are_told(app: Flask, clock: StoppedClock) -> None:
    with app.app_context():
        for _ in range(3):
            with transaction() as tx:
                record(tx, "session.ended", {}, NOON)
    clock.forward(seconds=90)
    told = samples(ask(app))
    assert told["broker_record_entries"] == {(): 3}
    assert told["broker_record_lag_seconds"] == {(): 90}


def test_the_queues_are_told(app: Flask) -> None:
    told = samples(ask(app))
    assert told["broker_queue_length"] == {("mail",): 0, ("sign_out",): 0}
    assert told["broker_queue_age_seconds"] == {("mail",): 0, ("sign_out",): 0}


def test_where_the_tables_are_gone_the_rest_is_told_all_the_same(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP TABLE notice"))
    told = samples(ask(app))
    assert told["broker_queue_length"] == {("sign_out",): 0}
    assert told["broker_database_up"] == {(): 1}


def test_a_short_token_stops_the_start(tools: Tools, tmp_path: Path) -> None:
    house = metering.metered(tools, tmp_path)
    (tmp_path / "token").write_text("x" * 19)
    with pytest.raises(TokenRejected):
        create_app(house)
