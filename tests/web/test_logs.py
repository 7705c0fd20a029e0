"""The log as JSON: an object a line, the number of the request on each, nobody's values."""

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from flask import Flask

from broker.app import create_app
from broker.web import logs
from broker.web.tools import Tools
from tests.metering import measured
from tests.web.conftest import see

PERSON = "Fatima Zahra"


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What is written to stderr while JSON is on; the tests' own handlers come back afterwards."""
    root, house, stream = logging.getLogger(), logging.getLogger("broker"), StringIO()
    before, levels = root.handlers[:], (root.level, house.level)
    logs.install(stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(levels[0])
    house.setLevel(levels[1])


@pytest.fixture
def app(tools: Tools, written: StringIO) -> Iterator[Flask]:
    settings = tools.settings.model_copy(update={"log": "json"})
    with measured(replace(tools, settings=settings)) as app:
        yield app


def lines(written: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_is_one_line(app: Flask, written: StringIO) -> None:
    number = see(app.test_client(), "/problems/not_found?code=secret").headers["X-Request-ID"]
    (line,) = lines(written)
    assert line.pop("ms") > 0
    assert line.pop("time")[10] == "T"
    assert line == {
        "level": "info",
        "logger": "broker.requests",
        "message": "request",
        "request_id": number,
        "method": "GET",
        "route": "/problems/<code>",
        "status": 200,
    }


def test_a_refusal_has_its_code_and_both_of_its_lines_the_same_number(
    app: Flask, written: StringIO
) -> None:
    see(app.test_client(), "/authorize?client_id=nobody")
    why, request = lines(written)
    assert "client_unknown" in why["message"]
    assert (request["status"], request["code"]) == (400, "client_unknown")
    assert why["request_id"] == request["request_id"]


def test_nothing_that_is_sent_is_written(app: Flask, written: StringIO) -> None:
    client = app.test_client()
    client.post("/token?code=s3cret", data={"code": "s3cret", "client_id": "s3cret"})
    client.open("/foreign/upstream/s3cret?state=s3cret", method="S3CRET")
    see(client, "/s3cret", **{"X-Request-ID": "s3cret", "User-Agent": "s3cret"})
    assert len(lines(written)) >= 3
    assert "s3cret" not in written.getvalue().lower()


def test_what_a_library_says_is_not_written(written: StringIO) -> None:
    logging.getLogger("sqlalchemy.engine").error("INSERT INTO x VALUES (%s)", PERSON)
    (line,) = lines(written)
    assert line["logger"] == "sqlalchemy.engine"
    assert line["message"].startswith("at test_logs:")
    assert PERSON not in written.getvalue()


def test_a_traceback_is_not_written(written: StringIO) -> None:
    error = RuntimeError(PERSON)
    logging.getLogger("broker").error("it broke", exc_info=error)
    (line,) = lines(written)
    assert (line["message"], line["error"]) == ("it broke", "RuntimeError")
    assert PERSON not in written.getvalue()


def test_a_line_stays_one_line(written: StringIO) -> None:
    logging.getLogger("broker").warning("one\ntwo\u2028é")
    assert written.getvalue().count("\n") == 1
    assert lines(written)[0]["message"] == "one\ntwo\u2028é"


def test_without_the_setting_no_request_is_logged(
    tools: Tools, caplog: pytest.LogCaptureFixture
) -> None:
    with measured(tools) as app, caplog.at_level(logging.DEBUG):
        see(app.test_client(), "/problems/not_found")
    assert "broker.requests" not in {record.name for record in caplog.records}


def test_the_setting_turns_it_on_at_the_start(
    monkeypatch: pytest.MonkeyPatch, written: StringIO, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("start")
    monkeypatch.setenv("BROKER_LOG", "json")
    monkeypatch.setenv("BROKER_KEYS_DIR", str(folder))
    monkeypatch.setattr(sys, "stderr", written)
    with pytest.raises(Exception, match="no ES256 key"):  # no keys: it stops just after
        create_app()
    assert logging.getLogger().handlers[0].formatter.__class__ is logs.Lines
