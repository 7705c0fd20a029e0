"""What a request asks of the database: a table, so that nobody adds to it without noticing.

The record's own statements are not counted here (`audit_` tables): its room counts them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker import entropy
from broker.db import db, transaction
from broker.identity.evidence import Claim, Evidence
from broker.proofing import store as proofing
from tests.conftest import NOON
from tests.service import Person, Service, settle

COSTS = {
    "authorize": (6, 1),  # client, session, evidence, consent; session seen, grant with its code
    "token": (3, 1),  # client; code spent, which gives its grant; access token
    "refresh": (8, 1),  # client, token, grant, evidence; token spent, two new, answer kept
    "client_credentials": (2, 1),  # client; access token
    "userinfo": (3, 0),  # token with its grant and client, evidence, the person's key
    "introspect": (3, 0),  # client, token with its grant and client, evidence
    "discovery": (0, 0),
    "jwks": (0, 0),
}
"""Route → statements, and commits of something written."""


@dataclass
class Counted:
    """What SQLite was told since `clear`."""

    said: list[str] = field(default_factory=list)

    def __call__(self, statement: str) -> None:
        self.said.append(" ".join(statement.split()))

    @property
    def statements(self) -> list[str]:
        frame = "BEGIN", "COMMIT", "PRAGMA", "--"
        ours = (s for s in self.said if not s.startswith(frame))
        return [s for s in ours if "audit_" not in s]

    @property
    def commits(self) -> int:
        """Commits of transactions that wrote; reading ends in a commit of nothing."""
        wrote = any(not s.startswith("SELECT") for s in self.statements)
        return self.said.count("COMMIT") if wrote else 0


@pytest.fixture
def counted(app: Flask) -> Counted:
    counted = Counted()
    with app.app_context():
        raw = db.engine.raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        driver.set_trace_callback(counted)
        raw.close()
    return counted


@pytest.fixture
def person(app: Flask, client: FlaskClient, service: Service) -> Person:
    """Signed in, agreed to everything, with evidence on file."""
    agreed = ("openid", "profile", "offline_access")
    person = settle(app, client, agreed=agreed)
    name = Claim("family_name", "ERIKSSON", "line 1, 6-44")
    with app.test_request_context(), transaction() as tx:
        proofing.file(tx, person.account_id, Evidence("mrz_photo", (name,), (), NOON), NOON)
    return person


@pytest.mark.parametrize("route", COSTS)
def test_a_request_asks_no_more_of_the_database_than_the_table_says(
    route: str, client: FlaskClient, service: Service, person: Person, counted: Counted
) -> None:
    _requests(client, service)[route]()  # the first of a process may settle things
    measured = _requests(client, service)[route]
    counted.said.clear()
    measured()
    assert (len(counted.statements), counted.commits) == COSTS[route], counted.statements


def _requests(client: FlaskClient, service: Service) -> dict[str, Callable[[], object]]:
    asked = {"scope": "openid profile", "nonce": entropy.token(entropy.system)}
    code = service.code(client, **asked)
    kept = service.tokens(client, scope="openid profile offline_access")
    bearer = {"Authorization": f"Bearer {kept['access_token']}"}

    def post(path: str, **form: str) -> object:
        response = client.post(path, data=form, headers=service.basic())
        assert response.status_code == 200, response.text
        return response

    def get(path: str, **headers: str) -> object:
        response = client.get(path, headers=headers)
        assert response.status_code == 200, response.text
        return response

    refresh = kept["refresh_token"]
    return {
        "authorize": lambda: service.code(client, **asked),
        "token": lambda: service.redeem(client, code),
        "refresh": lambda: post("/token", grant_type="refresh_token", refresh_token=refresh),
        "client_credentials": lambda: post("/token", grant_type="client_credentials"),
        "userinfo": lambda: get("/userinfo", **bearer),
        "introspect": lambda: post("/introspect", token=kept["access_token"]),
        "discovery": lambda: get("/.well-known/openid-configuration"),
        "jwks": lambda: get("/jwks"),
    }
