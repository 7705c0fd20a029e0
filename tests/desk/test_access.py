"""Tokens of this very provider at the auditors' door: programs by their keys, people by theirs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.app import create_app
from broker.db import db, transaction
from broker.desk import auditor
from broker.desk.scope import ALL
from broker.web.tools import Tools
from tests.conftest import NOON
from tests.desk.conftest import body, code, issue
from tests.proofs import ProofKey
from tests.service import Service, agree, register, settle
from tests.signing import a_key, assertion_claims, assertion_form

KEY = a_key()
PATH = "/api/v1/assertions"


@pytest.fixture
def app(tools: Tools) -> Iterator[Flask]:
    """The house as it is, with its own reader of tokens."""
    app = create_app(replace(tools))
    app.testing = True
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def program(app: Flask, **changed: Any) -> Service:
    """An auditor's program, which proves itself with its key and binds its tokens to another."""
    metadata: dict[str, Any] = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": KEY.key_set,
        "dpop_bound_access_tokens": True,
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "scope": "audit:read audit:proof audit:unmask",
    }
    return register(app, secret=None, **(metadata | changed))


def token(client: FlaskClient, proof: ProofKey, scope: str = "audit:read") -> Any:
    form = assertion_form(KEY.sign(assertion_claims(NOON)), scope=scope)
    return client.post("/token", data=form, headers={"DPoP": proof.proof()}).get_json()


def test_a_program_reads_with_a_token_bound_to_its_key(app: Flask, client: FlaskClient) -> None:
    program(app)
    key, place = ProofKey(), issue(app)
    told = token(client, key)
    assert told["token_type"] == "DPoP"
    answer = client.get(PATH, headers=key.headers(told["access_token"], PATH))
    assert [each["index"] for each in body(answer)["assertions"]] == [place]


def test_a_proof_of_possession_is_good_once(app: Flask, client: FlaskClient) -> None:
    program(app)
    key = ProofKey()
    headers = key.headers(token(client, key)["access_token"], PATH)
    assert client.get(PATH, headers=headers).status_code == 200
    replayed = client.get(PATH, headers=headers)
    assert (replayed.status_code, code(replayed)) == (401, "invalid_dpop_proof")


def test_a_bound_token_is_worth_nothing_to_another(app: Flask, client: FlaskClient) -> None:
    program(app)
    told = token(client, ProofKey())["access_token"]
    assert client.get(PATH, headers=ProofKey().headers(told, PATH)).status_code == 401
    assert client.get(PATH, headers={"Authorization": f"Bearer {told}"}).status_code == 401


def test_a_program_is_limited_to_the_services_named_to_it(app: Flask, client: FlaskClient) -> None:
    program(app, audit_clients=["client-1"])
    key = ProofKey()
    issue(app)
    place = issue(app, "other", client="client-1")
    answer = client.get(PATH, headers=key.headers(token(client, key)["access_token"], PATH))
    assert [each["index"] for each in body(answer)["assertions"]] == [place]


def test_no_program_gets_the_scope_that_unmasks(app: Flask, client: FlaskClient) -> None:
    program(app)
    assert token(client, ProofKey(), "audit:unmask")["error"] == "invalid_scope"


def test_a_token_for_a_relying_services_own_api_is_not_for_here(
    app: Flask, client: FlaskClient
) -> None:
    resource = "https://api.service.test"
    program(app, resource_identifiers=[resource])
    key = ProofKey()
    form = assertion_form(KEY.sign(assertion_claims(NOON)), scope="audit:read", resource=resource)
    told = client.post("/token", data=form, headers={"DPoP": key.proof()}).get_json()
    answer = client.get(PATH, headers=key.headers(told["access_token"], PATH))
    assert (answer.status_code, code(answer)) == (401, "invalid_token")


# People


def person_token(app: Flask, client: FlaskClient, *, appointed: bool = True) -> str:
    scope = "openid audit:read"
    service = register(app, scope=scope)
    person = settle(app, client, agreed=("openid",))
    agree(app, person, ("openid", "audit:read"))
    if appointed:
        draw = app.extensions["broker"].random
        with app.app_context(), transaction() as tx:
            auditor.appoint(tx, person.account_id, frozenset(ALL), None, NOON, draw)
    return str(service.tokens(client, scope=scope)["access_token"])


def test_an_appointed_person_reads_by_the_code_flow(app: Flask, client: FlaskClient) -> None:
    bearer = {"Authorization": f"Bearer {person_token(app, client)}"}
    assert client.get(PATH, headers=bearer).status_code == 200
    # The token has one scope, whatever else the person may do.
    assert code(client.get("/api/v1/unmaskings", headers=bearer)) == "insufficient_scope"


def test_a_person_who_was_not_appointed_does_not(app: Flask, client: FlaskClient) -> None:
    bearer = {"Authorization": f"Bearer {person_token(app, client, appointed=False)}"}
    assert code(client.get(PATH, headers=bearer)) == "not_an_auditor"


def test_a_service_does_not_get_these_scopes_by_asking(app: Flask) -> None:
    from broker.oidc.registration import NOT_FOR_ASKING

    assert frozenset(ALL) <= NOT_FOR_ASKING["scope"]
