"""Every request has a number; what is measured of it comes from closed sets."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.web.tools import Tools
from tests import metering
from tests.conftest import ISSUER
from tests.metering import seen
from tests.service import Service, register, settle
from tests.web.conftest import see

NUMBER = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def measured(tools: Tools, folder: Path) -> Iterator[Flask]:
    """The application with metrics on, behind a proxy."""
    house = metering.metered(tools, folder)
    settings = house.settings.model_copy(update={"trusted_proxies": 1})
    with metering.measured(replace(house, settings=settings)) as app:
        yield app


def test_every_answer_bears_the_number_of_its_request(client: FlaskClient) -> None:
    numbers = {see(client, path).headers["X-Request-ID"] for path in ("/", "/jwks", "/no", "/no")}
    assert len(numbers) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", number) for number in numbers)


def test_a_number_that_somebody_sends_is_not_believed(client: FlaskClient) -> None:
    answer = see(client, "/jwks", **{"X-Request-ID": NUMBER})
    assert answer.headers["X-Request-ID"] != NUMBER


@pytest.mark.parametrize("number", [NUMBER, "01234567-89ab-cdef-0123-456789abcdef"])
def test_the_number_of_the_proxy_is_taken_over(measured: Flask, number: str) -> None:
    answer = see(measured.test_client(), "/jwks", **{"X-Request-ID": number})
    assert answer.headers.getlist("X-Request-ID") == [number]


@pytest.mark.parametrize(
    "number", ["", "fatima@example.org", NUMBER[1:], NUMBER.upper(), f"{NUMBER}00000", "x" * 4096]
)
def test_a_number_of_the_proxy_that_is_none_is_replaced(measured: Flask, number: str) -> None:
    answer = see(measured.test_client(), "/jwks", **{"X-Request-ID": number})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert answer.headers["X-Request-ID"] != number


def test_a_request_is_counted_by_its_template(measured: Flask, folder: Path) -> None:
    client = measured.test_client()
    see(client, "/problems/not_found")
    see(client, "/problems/malformed")
    rows = seen(folder)
    counted = [v for k, v in rows.items() if k[2:] == ("/problems/<code>", "GET", "2xx")]
    assert sum(counted) > 2  # two in the buckets, and their seconds


def test_a_refusal_is_counted_by_its_code(measured: Flask, folder: Path) -> None:
    see(measured.test_client(), "/nothing/here")
    assert seen(folder)["broker_errors_total", "", "not_found"] == 1


def test_what_ends_with_429_is_a_limit_that_was_hit(measured: Flask, folder: Path) -> None:
    measured.add_url_rule("/full", "full", lambda: ("", 429))
    see(measured.test_client(), "/jwks")
    assert "broker_limits_hit_total" not in {row[0] for row in seen(folder)}
    see(measured.test_client(), "/full")
    assert sum(v for k, v in seen(folder).items() if k[0] == "broker_limits_hit_total") == 1


HOSTILE = "evil-7f3a"
REQUESTS = [
    ("GET", f"/{HOSTILE}"),
    ("GET", f"/authorize?client_id={HOSTILE}"),
    ("GET", f"/foreign/upstream/{HOSTILE}"),
    ("GET", f"/foreign/{HOSTILE}/{HOSTILE}?state={HOSTILE}"),
    ("GET", f"/prove/{HOSTILE}/mrz?scheme={HOSTILE}"),
    ("GET", f"/problems/{HOSTILE}"),
    ("GET", f"/acr/{HOSTILE}"),
    ("POST", f"/token?grant_type={HOSTILE}"),
    (HOSTILE.upper(), "/token"),
    ("GET", f"/api/v1/{HOSTILE}"),
    ("GET", f"/%2e%2e/{HOSTILE}%0a%22"),
]


def test_hostile_requests_make_no_new_label(measured: Flask, folder: Path) -> None:
    client = measured.test_client()
    form = {"grant_type": HOSTILE, "client_id": HOSTILE, "client_secret": HOSTILE, "code": HOSTILE}
    for turn in ("a", "b"):
        for method, path in REQUESTS:
            said = {"User-Agent": HOSTILE, "X-Request-ID": HOSTILE, "Host": "broker.test"}
            data = form if method == "POST" else None
            client.open(
                path.replace("7f3a", f"7f3a{turn}"),
                method=method,
                base_url=ISSUER,
                headers=said,
                data=data,
            )
        rows = set(seen(folder))
        if turn == "a":
            first = rows
    assert "evil" not in str(rows).lower()
    # Other buckets may be met, other labels may not.
    assert {(row[0], *row[2:]) for row in rows} == {(row[0], *row[2:]) for row in first}


def test_connections_are_given_back(measured: Flask, folder: Path) -> None:
    see(measured.test_client(), "/account")
    rows = seen(folder)
    assert rows["broker_database_connections", "", "open"] >= 1
    assert rows["broker_database_connections", "", "in_use"] == 0


def test_logins_and_tokens_are_counted(measured: Flask, folder: Path) -> None:
    service: Service = register(measured)
    client = measured.test_client()
    client.get("/authorize", query_string=service.arguments(prompt="none"))
    settle(measured, client, agreed=("openid",))
    service.tokens(client)
    rows = seen(folder)
    assert rows["broker_logins_total", "", "none", "refused"] == 1
    assert rows["broker_logins_total", "", "contact", "accepted"] == 1
    assert rows["broker_token_issue_seconds", "sum", "authorization_code"] > 0


def test_what_is_off_is_not_there(app: Flask) -> None:
    answer = app.test_client().get("/metrics", base_url=ISSUER)
    assert answer.status_code == 404
