"""What every answer forbids the browser."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.app import create_app
from broker.db import db
from broker.web import headers
from broker.web.tools import Tools
from tests.web.conftest import see

DOORS = ["/", "/nowhere", "/page/not_allowed", "/page/broken", "/token/test/client", "/policy.json"]


FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}


@pytest.mark.parametrize("door", DOORS)
def test_every_answer_carries_the_fixed_ones(client: FlaskClient, door: str) -> None:
    answer = see(client, door)
    assert {name: answer.headers.get(name) for name in FIXED} == FIXED


@pytest.mark.parametrize("door", DOORS)
def test_no_answer_lets_a_foreign_script_style_or_frame_in(client: FlaskClient, door: str) -> None:
    policy = see(client, door).headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


def test_no_page_may_use_what_ours_do_not_need(client: FlaskClient) -> None:
    rules = see(client, "/").headers["Permissions-Policy"]
    for feature in ("camera", "geolocation", "microphone", "payment"):
        assert f"{feature}=()" in rules


def test_a_form_on_the_way_to_a_service_may_end_there_and_nowhere_else(app: Flask) -> None:
    def step() -> str:
        headers.allow_form_target("https://rp.example")
        return ""

    app.add_url_rule("/step", "step", step)
    policy = see(app.test_client(), "/step").headers["Content-Security-Policy"]
    assert "form-action 'self' https://rp.example;" in policy


def test_the_next_page_has_forgotten_that_target(app: Flask) -> None:
    def step() -> str:
        headers.allow_form_target("https://rp.example")
        return ""

    app.add_url_rule("/step", "step", step)
    client = app.test_client()
    see(client, "/step")
    assert "rp.example" not in see(client, "/").headers["Content-Security-Policy"]


@pytest.mark.parametrize("door", ["/", "/page/not_allowed", "/nowhere", "/account"])
def test_no_page_is_kept_by_a_cache(client: FlaskClient, door: str) -> None:
    assert see(client, door).headers["Cache-Control"] == "no-store"


def test_by_http_nothing_is_said_of_https(tools: Tools) -> None:
    plain = tools.settings.model_copy(update={"issuer": "http://localhost:8000"})
    app = create_app(replace(tools, settings=plain))
    answer = app.test_client().get("/")
    assert "Strict-Transport-Security" not in answer.headers
    with app.app_context():
        db.engine.dispose()
