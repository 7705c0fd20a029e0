"""Another Miftah vouches: pushed and signed request, our key, its encrypted and signed words."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.app import create_app
from broker.db import db, transaction
from broker.errors import EvidenceRejected
from broker.identity.scheme import parse
from broker.identity.verifier import Attempt, Redirect, Reply, Surroundings
from broker.keyring import Keyring
from broker.rehearsal.arranging import account_of, sign_in
from broker.rehearsal.people import PEOPLE
from broker.settings import Settings
from broker.verifiers.upstream import UpstreamVerifier
from broker.web.tools import Tools
from tests.conftest import NOON
from tests.service import Person, agree
from tests.verifiers.upstream.miftah import CLIENT_ID, SCHEME, InProcess, registered, written

UP = "https://up.test"


@pytest.fixture
def there(tools: Tools, keyring: Keyring) -> Iterator[Flask]:
    settings = Settings(issuer=UP, database_url="sqlite://", rehearsal=True)
    app = create_app(replace(tools, settings=settings, features=(), verifiers=()))
    app.testing = True
    with app.app_context():
        db.create_all()
    registered(app, keyring, "https://broker.test/foreign/upstream/miftah")
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def verifier(there: Flask, keyring: Keyring, tmp_path: Path) -> UpstreamVerifier:
    scheme = parse("miftah", SCHEME.format(up=UP).encode())
    house = there.extensions["broker"]
    network = InProcess().to(there.test_client(), UP)
    around = Surroundings(
        "https://broker.test",
        lambda: {"miftah": scheme},
        lambda: keyring,
        house.random,
        network,
        written(tmp_path / "keys"),
    )
    return UpstreamVerifier(around)


def person(there: Flask, name: str) -> FlaskClient:
    """A browser in which this test person is signed in there, and has agreed."""
    client, house = there.test_client(), there.extensions["broker"]
    with there.test_request_context(base_url=UP), transaction() as tx:
        secret = sign_in(tx, PEOPLE[name], house, NOON)
    client.set_cookie("__Host-miftah_session", secret, domain="up.test", secure=True)
    account = account_of(PEOPLE[name], house)
    agree(there, Person(account, secret), ("openid", "profile"), CLIENT_ID)
    return client


def came_back(
    verifier: UpstreamVerifier, browser: FlaskClient, least: str
) -> tuple[Attempt, dict[str, Any]]:
    opening = verifier.open(Attempt("h" * 43, NOON, "fr", scheme="miftah", least=least))
    assert isinstance(opening.show, Redirect)
    answer = browser.get(opening.show.url.removeprefix(UP), base_url=UP)
    assert answer.status_code == 303, answer.text
    fields = dict(parse_qsl(urlsplit(answer.location).query))
    return Attempt("h" * 43, NOON, "fr", opening.remember), fields


def test_another_miftah_vouches_at_its_level(verifier: UpstreamVerifier, there: Flask) -> None:
    attempt, fields = came_back(verifier, person(there, "verified"), "substantial")
    evidence = verifier.close(attempt, Reply(fields))
    assert evidence.kind == "notified_substantial"
    assert evidence.value("given_name") == "LEILA"
    assert evidence.value("birthdate") == "1990-05-17"
    assert evidence.origin is not None
    assert evidence.origin.level == f"{UP}/acr/verified-phr"


def test_its_answer_is_good_once(verifier: UpstreamVerifier, there: Flask) -> None:
    attempt, fields = came_back(verifier, person(there, "verified"), "")
    verifier.close(attempt, Reply(fields))
    with pytest.raises(EvidenceRejected, match="upstream_not_as_agreed"):
        verifier.close(attempt, Reply(fields))


def test_a_level_of_it_that_we_do_not_know_is_refused(
    verifier: UpstreamVerifier, there: Flask
) -> None:
    # “attested” has a device-bound key: the other Miftah says verified-phrh, which is not in our
    # file. It is more than we asked for, and still a word that we were never told the meaning of.
    attempt, fields = came_back(verifier, person(there, "attested"), "substantial")
    with pytest.raises(EvidenceRejected, match="upstream_level_unknown"):
        verifier.close(attempt, Reply(fields))


def test_a_level_of_it_that_is_too_low_is_refused(verifier: UpstreamVerifier, there: Flask) -> None:
    attempt, fields = came_back(verifier, person(there, "basic"), "")
    asked = replace(attempt, remembered={**attempt.remembered, "least": "substantial"})
    with pytest.raises(EvidenceRejected, match="upstream_level_low"):
        verifier.close(asked, Reply(fields))
