"""Rooms that keep something about a person, and a person signed in on the real pages."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from broker.audit.entry import read_leaf
from broker.audit.models import AuditEntry
from broker.db import db
from broker.feature import Feature, Panel
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.people import forms, visit
from tests.recording import sequenced


@dataclass
class Room:
    """A room with a panel and something to erase; `jammed` makes its eraser fail."""

    seen: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    jammed: bool = False

    def panel(self, _tx: Session, account_id: str, _now: datetime) -> Panel:
        self.seen.append(account_id)
        return Panel("accounts/signed_out.html", {})

    def erase(self, _tx: Session, account_id: str) -> None:
        if self.jammed:
            raise RuntimeError("jammed")
        self.erased.append(account_id)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def app(app: Flask, room: Room) -> Iterator[Flask]:
    """The application with one room more."""
    tools: Tools = app.extensions["broker"]
    feature = Feature("cellar", panel=room.panel, erase=room.erase)
    app.extensions["broker"] = replace(tools, features=(*tools.features, feature))
    yield app
    app.extensions["broker"] = tools


def press(client: FlaskClient, page: str, action: str) -> Any:
    """The answer to the form of the page that goes to `action`, sent as it stands."""
    form = next(form for form in forms(visit(client, page).text) if form.action == action)
    return client.post(action, data=form.fields, base_url=ISSUER)


def rows(app: Flask, table: type) -> list[Any]:
    """Every row of the table."""
    with app.app_context(), db.session.begin():
        found: list[Any] = list(db.session.scalars(select(table)).all())
        db.session.expunge_all()
        return found


def entries(app: Flask, event: str) -> list[dict[str, Any]]:
    """The facts of every entry of this kind, oldest first."""
    sequenced(app)
    leaves = (read_leaf(row.leaf) for row in rows(app, AuditEntry))
    return [leaf["facts"] for leaf in leaves if leaf["event"] == event]
