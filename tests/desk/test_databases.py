"""One story of everything that the desk writes, on either kind of database."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from broker import entropy
from broker.accounts import store as accounts
from broker.app import create_app
from broker.db import db, transaction
from broker.desk import auditor
from broker.desk.scope import ALL
from broker.desk.worker import pack_next
from broker.web.tools import Tools
from tests.conftest import NOON, lay_migrated
from tests.desk.conftest import Desk, body, issue, read_token, refuse


@pytest.fixture
def stored(tools: Tools, database_url: str) -> Iterator[Flask]:
    """The application on disk, its tables made by the migrations."""
    lay_migrated(database_url)
    settings = tools.settings.model_copy(update={"database_url": database_url})
    house = replace(tools, settings=settings, random=entropy.system, read_token=read_token)
    app = create_app(house)
    app.testing = True
    with app.app_context(), transaction() as tx:
        for who in "ab":
            accounts.create(tx, house.keyring.wrapping, NOON, entropy.system, who * 43)
            auditor.appoint(tx, who * 43, frozenset(ALL), None, NOON, entropy.system)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_the_whole_story_on_either_database(stored: Flask) -> None:
    desk = Desk(stored)
    place, refused = issue(stored, "b" * 43), refuse(stored)
    for query in ("", "?client=client-0", "?from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z"):
        found = body(desk.get(f"/assertions{query}"))["assertions"]
        assert [each["index"] for each in found] == [place, refused]
    subject = "sub-of-" + "b" * 43
    assert len(body(desk.get(f"/assertions?subject={subject}"))["assertions"]) == 1
    assert len(body(desk.get("/assertions", "limited"))["assertions"]) == 2
    assert desk.get(f"/assertions/{place}").status_code == 200
    assert desk.get("/statistics?month=2026-10&by=kind").status_code == 200

    made = desk.post("/cases", {"entry": place, "title": "Why?"}, Idempotency_Key="k")
    again = desk.post("/cases", {"entry": place, "title": "Why?"}, Idempotency_Key="k")
    assert (made.status_code, made.data) == (201, again.data)
    case = f"/cases/{body(made)['id']}"
    assert desk.post(f"{case}/comments", {"text": "é"}).status_code == 201
    changed = desk.patch(case, {"state": "closed"}, If_Match=made.headers["ETag"])
    assert changed.status_code == 200

    wish = {"entry": place, "reason": "A complaint was made.", "minutes": 30}
    row = f"/unmaskings/{body(desk.post('/unmaskings', wish, 'amina'))['id']}"
    agreed = desk.post(f"{row}/decision", {"decision": "approve"}, "brahim")
    assert agreed.status_code == 200
    assert desk.get(f"{row}/person", "amina").status_code == 200

    export = body(desk.post("/exports", {"format": "csv"}))["id"]
    with stored.app_context():
        assert pack_next()
    assert desk.get(f"/exports/{export}/bundle").status_code == 200
    kept = {"name": "Refusals", "query": {"outcome": "refused"}}
    search = body(desk.post("/searches", kept))["id"]
    assert desk.ask("DELETE", f"/searches/{search}").status_code == 204
