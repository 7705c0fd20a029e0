"""What a browser without a script takes hold of: the ids that docs/integrate.md promises."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.app import create_app
from broker.db import db
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.people import forms
from tests.rehearsal.test_sign_in import SCOPE, come
from tests.service import Service, register

PAGE = Path(__file__).parents[2] / "docs/integrate.md"
ROW = re.compile(r"^\| (?P<page>[^|`]+) \| `(?P<id>[a-z_<>-]+)` \|", re.MULTILINE)


@pytest.fixture
def app(rehearsing: Tools) -> Iterator[Flask]:
    app = create_app(rehearsing)
    app.testing = True
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def promised() -> dict[str, set[str]]:
    """Page → the ids that the integrator was told of."""
    found: dict[str, set[str]] = {}
    for row in ROW.finditer(PAGE.read_text("utf-8")):
        found.setdefault(row["page"], set()).add(row["id"].replace("<person>", "verified"))
    return found


class _Ids(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name == "id"]


def walked(app: Flask) -> dict[str, str]:
    """Page → its text, as a script-less browser meets them on one journey."""
    service = register(app, post_logout_redirect_uris=["https://service.test/bye"])
    client = app.test_client()
    pages = {"error": client.get("/authorize?client_id=nobody").text}
    step = service.ask(client, scope=SCOPE).location
    pages["sign-in"] = client.get(step).text
    choose = step.replace("/sign-in/", "/rehearsal/")
    pages["test persons"] = client.get(choose).text
    consent = client.get(come(client, "verified", choose)).location
    pages["consent"] = client.get(consent).text
    form = forms(pages["consent"])[0]
    client.get(client.post(form.action, data=form.fields).location)
    pages["answer by form"] = service.ask(client, scope=SCOPE, response_mode="form_post").text
    pages["account"] = client.get("/account").text
    pages["sign out?"] = client.get("/logout").text
    bye = {"client_id": "service", "post_logout_redirect_uri": "https://service.test/bye"}
    pages["signed out"] = app.test_client().get("/logout", query_string=bye).text
    return pages | {"prove": more_asked(app.test_client(), service)}


def more_asked(client: FlaskClient, service: Service) -> str:
    """The page of the doors, which is shown where more is asked than they can reach."""
    wish = f"{ISSUER}/acr/official-phrh"
    choose = service.ask(client, scope=SCOPE, acr_values=wish).location.replace(
        "/sign-in/", "/rehearsal/"
    )
    return client.get(client.get(come(client, "newcomer", choose)).location).text


def test_every_promised_id_stands_once_on_its_page(app: Flask) -> None:
    pages, wanted = walked(app), promised()
    assert set(wanted) == set(pages)
    for name, ids in wanted.items():
        on_page = _Ids(pages[name]).found
        assert {i: on_page.count(i) for i in ids} == dict.fromkeys(ids, 1), name


def test_no_id_stands_twice_on_any_page(app: Flask) -> None:
    for name, page in walked(app).items():
        ids = _Ids(page).found
        assert len(ids) == len(set(ids)), name


def test_an_error_page_names_its_code(client: FlaskClient) -> None:
    page = client.get("/authorize?client_id=nobody").text
    assert 'data-code="client_unknown"' in page
