"""Auditors of every kind, and a record with something in it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from broker.accounts import store as accounts
from broker.app import create_app
from broker.db import db, transaction
from broker.desk import auditor
from broker.desk.scope import ALL
from broker.errors import OAuthCode, OAuthError
from broker.web.tools import Caller, Presented, Tools
from tests.audit.conftest import Getter, body, fill
from tests.conftest import NOON
from tests.recording import recorded

__all__ = ["Getter", "body", "fill"]

OWN = frozenset(ALL) - {"audit:unmask"}
CALLERS = {
    "good": Caller("auditor", OWN),
    "second": Caller("other-auditor", OWN - {"audit:admin"}),
    "reader": Caller("reader", frozenset({"audit:read"})),
    "prover": Caller("prover", frozenset({"audit:proof"})),
    "limited": Caller("cnss", OWN - {"audit:admin"}, frozenset({"client-0"})),
    "program": Caller("program", frozenset(ALL)),
    "other": Caller("relying-service", frozenset({"openid"})),
    "amina": Caller("desk", frozenset(ALL), None, "a" * 43, "C2"),
    "brahim": Caller("desk", frozenset(ALL), None, "b" * 43, "C3"),
    "weak": Caller("desk", frozenset(ALL), None, "a" * 43, "C1"),
    "narrow": Caller("desk", frozenset(ALL), None, "n" * 43, "C2"),
    "stranger": Caller("desk", frozenset(ALL), None, "s" * 43, "C2"),
}


def read_token(_tx: Session, brought: Presented, _now: datetime) -> Caller:
    if brought.unverified_token not in CALLERS:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "unknown")
    return CALLERS[brought.unverified_token]


@pytest.fixture
def app(tools: Tools) -> Iterator[Flask]:
    app = create_app(replace(tools, read_token=read_token))
    app.testing = True
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def get(app: Flask) -> Getter:
    return Getter(app)


@dataclass(frozen=True)
class Desk:
    """The auditors' API as one program or person after another uses it."""

    app: Flask

    def ask(
        self, method: str, path: str, by: str = "good", json: Any = None, **headers: str
    ) -> TestResponse:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Authorization": f"Bearer {by}"} | said
        client = self.app.test_client()
        return client.open(f"/api/v1{path}", method=method, json=json, headers=given)

    def get(self, path: str, by: str = "good", **headers: str) -> TestResponse:
        return self.ask("GET", path, by, **headers)

    def post(self, path: str, json: Any, by: str = "good", **headers: str) -> TestResponse:
        return self.ask("POST", path, by, json, **headers)

    def patch(self, path: str, json: Any, by: str = "good", **headers: str) -> TestResponse:
        return self.ask("PATCH", path, by, json, **headers)


@pytest.fixture
def desk(app: Flask) -> Desk:
    return Desk(app)


@pytest.fixture
def people(app: Flask) -> None:
    """Amina and Brahim read everything, Nadia what concerns client-0."""
    house = app.extensions["broker"]
    with app.app_context(), transaction() as tx:
        for who, clients in (("a", None), ("b", None), ("n", frozenset({"client-0"}))):
            accounts.create(tx, house.keyring.wrapping, NOON, house.random, who * 43)
            auditor.appoint(tx, who * 43, frozenset(ALL), clients, NOON, house.random)


def issue(app: Flask, account: str = "person", at: datetime = NOON, **facts: Any) -> int:
    """The index of an assertion about somebody."""
    told = {
        "account": account,
        "subject": f"sub-of-{account}",
        "client": "client-0",
        "grant": "grant-1",
        "acr": "verified-phr",
        "evidence": "evidence-1",
        "kind": "mrz_photo",
    }
    with app.app_context(), transaction() as tx:
        return recorded(tx, "token.issued", told | facts, at)


def refuse(app: Flask, at: datetime = NOON, **facts: Any) -> int:
    """The index of an assertion that was refused."""
    told = {"client": "client-0", "reason": "access_denied"}
    with app.app_context(), transaction() as tx:
        return recorded(tx, "code.refused", told | facts, at)


def code(response: TestResponse) -> str:
    """The stable code of a problem."""
    assert response.mimetype == "application/problem+json", response.text
    return str(response.get_json()["type"]).rsplit("/", 1)[-1]
