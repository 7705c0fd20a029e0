"""A person who took too long is shown the way back to the service that they came from (Core §4)."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import ISSUER, StoppedClock
from tests.service import register

START = "https://service.test/start?from=broker"


def lost(app: Flask, client: FlaskClient, clock: StoppedClock, **said: Any) -> str:
    """The path of a request that is over by time."""
    path = register(app, **said).ask(client).location
    clock.forward(minutes=45)
    return str(path)


def link(page: str) -> tuple[str, str] | None:
    """Address and text of the way back."""
    found = re.search(r'id="start-again" href="([^"]+)">([^<]+(?:<bdi>[^<]+</bdi>)?)', page)
    return found and (unescape(found[1]), found[2])


@pytest.mark.parametrize("name", ["Service d’essai", "خدمة تجريبية", "Test service"])
def test_the_page_has_a_link_that_begins_a_new_sign_in(
    app: Flask, client: FlaskClient, clock: StoppedClock, name: str
) -> None:
    language = {"S": "fr", "خ": "ar", "T": "en"}[name[0]]
    path = lost(app, client, clock, initiate_login_uri=START)
    page = client.get(f"{path}?ui_locales={language}")
    assert page.status_code == 404
    found = link(page.text)
    assert found is not None
    assert name in found[1]
    url = urlsplit(found[0])
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://service.test/start"
    assert parse_qs(url.query) == {"from": ["broker"], "iss": [ISSUER]}


def test_a_service_that_registered_no_such_place_is_not_linked_to(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    assert link(client.get(lost(app, client, clock)).text) is None


def test_another_browser_learns_nothing_of_the_service(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    path = lost(app, client, clock, initiate_login_uri=START)
    page = app.test_client().get(path)
    assert page.status_code == 404
    assert link(page.text) is None
    assert "service.test" not in page.text


def test_after_half_a_day_it_is_forgotten(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    service = register(app, initiate_login_uri=START)
    path = service.ask(client).location
    clock.forward(hours=12, minutes=45)
    service.ask(app.test_client())
    assert link(client.get(path).text) is None
