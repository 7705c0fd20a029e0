"""A reader of access tokens that knows two auditors, and a record with something in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from broker.app import create_app
from broker.audit import sequencer
from broker.audit.log import record
from broker.audit.tree import WIDTH
from broker.db import db, transaction
from broker.errors import OAuthCode, OAuthError
from broker.web.tools import Caller, Presented, Tools
from tests.conftest import NOON

CALLERS = {
    "good": Caller("auditor", frozenset({"audit:read", "audit:proof"})),
    "other": Caller("relying-service", frozenset({"openid"})),
}


def read_token(tx: Session, brought: Presented, now: datetime) -> Caller:
    assert tx.in_transaction()
    assert now.tzinfo
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
def get(app: Flask) -> "Getter":
    return Getter(app)


@dataclass(frozen=True)
class Getter:
    """GET a path of the auditor's API with an access token."""

    app: Flask

    def __call__(
        self, path: str, bearer: str = "good", headers: Mapping[str, str] = MappingProxyType({})
    ) -> TestResponse:
        given = {"Authorization": f"Bearer {bearer}", **headers}
        return self.app.test_client().get(f"/api/v1{path}", headers=given)


def fill(app: Flask, count: int) -> None:
    """`count` codes for three clients in turn, each for another person."""
    with app.app_context(), transaction() as tx:
        for n in range(count):
            facts = {"n": n, "client": f"client-{n % 3}", "acr": "P0", "account": f"person-{n}"}
            record(tx, "code.issued", facts, NOON)
        while sequencer.sequence(tx, NOON, WIDTH) == WIDTH:  # and so a checkpoint at every tile
            pass


def body(response: TestResponse) -> Any:
    """The answer's JSON."""
    return response.get_json()
