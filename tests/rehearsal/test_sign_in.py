"""Coming in as a test person: by forms alone, always as the same person, and never unnoticed."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker import jose
from broker.app import create_app
from broker.db import db
from broker.rehearsal.people import PEOPLE
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.people import forms
from tests.service import Service, answer, later, register
from tests.visits import entries, events

SCOPE = "openid profile assurance"
ACR = {
    "code": "contact",
    "declared": "contact",
    "basic": "basic",
    "verified": "verified-phr",
    "attested": "verified-phrh",
    "official": "official-phrh",
}


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


@pytest.fixture
def service(app: Flask) -> Service:
    return register(app)


def come(client: FlaskClient, person: str, path: str = "/rehearsal/account") -> str:
    """Where the person is sent once they are somebody."""
    form = next(f for f in forms(client.get(path).text) if f.action == path)
    sent = client.post(path, data={**form.fields, "person": person})
    assert sent.status_code == 303, sent.text
    return str(sent.location)


def walk(client: FlaskClient, service: Service, person: str, **asked: str) -> dict[str, str]:
    """The answer to a request, reached by links and forms without a script."""
    page = service.ask(client, scope=SCOPE, **asked).location
    assert page.startswith("/sign-in/")
    step = client.get(come(client, person, page.replace("/sign-in/", "/rehearsal/"))).location
    if step.startswith("/consent/"):
        form = forms(client.get(step).text)[0]
        step = client.get(client.post(form.action, data=form.fields).location).location
    return {"location": step}


def tokens(client: FlaskClient, service: Service, person: str) -> dict[str, object]:
    back = walk(client, service, person)["location"]
    code = back.split("code=")[1].split("&")[0]
    answered = service.redeem(client, code)
    assert answered.status_code == 200, answered.text
    keyring = client.application.extensions["broker"].keyring
    return dict(jose.verify(answered.get_json()["id_token"], keyring).claims)


@pytest.mark.parametrize("person", sorted(ACR))
def test_each_person_reaches_what_their_papers_and_keys_reach(
    client: FlaskClient, service: Service, person: str
) -> None:
    claims = tokens(client, service, person)
    assert claims["acr"] == f"{ISSUER}/acr/{ACR[person]}"


def test_the_page_says_what_each_person_reaches(client: FlaskClient) -> None:
    page = client.get("/rehearsal/account").text
    for name in PEOPLE:
        assert f'id="rehearsal-{name}"' in page
    assert all(level in page for level in ACR.values())


def test_a_person_is_the_same_at_every_sign_in_and_another_than_the_next(
    app: Flask, service: Service
) -> None:
    subs = [
        tokens(app.test_client(), service, person)["sub"]
        for person in ("verified", "verified", "basic")
    ]
    assert subs[0] == subs[1] != subs[2]


def test_a_newcomer_is_asked_to_prove_who_they_are(client: FlaskClient, service: Service) -> None:
    assert walk(client, service, "newcomer")["location"].startswith("/prove/")


def test_evidence_is_shown_anew_once_it_is_too_old(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    tokens(client, service, "declared")
    later(app, days=40)
    assert tokens(client, service, "declared")["acr"] == f"{ISSUER}/acr/contact"
    assert events(app).count("evidence.accepted") == 2


def test_the_record_says_that_it_was_a_rehearsal(app: Flask, client: FlaskClient) -> None:
    come(client, "verified")
    assert events(app) == ["account.created", "evidence.accepted", "sign_in.rehearsed"]
    facts = [entry["facts"] for entry in entries(app)]
    assert [f.get("rehearsal") for f in facts] == [True, True, None]
    assert facts[2]["authenticator"] == "passkey_synced"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/account/signed-out", "/sign-in/account"])
def test_every_page_says_that_this_is_a_test_system(client: FlaskClient, path: str) -> None:
    page = client.get(f"{path}?ui_locales=en").text
    assert 'id="rehearsal-banner"' in page
    assert "anybody may sign in as anybody" in page


def test_somebody_who_is_not_in_the_table_does_not_exist(client: FlaskClient) -> None:
    form = forms(client.get("/rehearsal/account").text)[0]
    sent = client.post("/rehearsal/account", data={**form.fields, "person": "admin"})
    assert sent.status_code == 400
    assert client.get("/account").status_code == 303


def test_a_form_of_another_site_signs_nobody_in(client: FlaskClient) -> None:
    assert client.post("/rehearsal/account", data={"person": "verified"}).status_code == 403
    assert client.get("/account").status_code == 303


def test_another_browsers_visit_is_not_continued(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    handle = service.ask(client).location.rsplit("/", 1)[1]
    other = app.test_client()
    assert other.get(f"/rehearsal/{handle}").status_code == 404
    form = forms(other.get("/rehearsal/account").text)[0]
    fields = {**form.fields, "person": "verified"}
    assert other.post(f"/rehearsal/{handle}", data=fields).status_code == 404


def test_prompt_login_is_answered_by_choosing_once_more(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    tokens(client, service, "verified")
    later(app, seconds=5)
    back = walk(client, service, "verified", prompt="login")["location"]
    assert back.startswith("https://service.test/callback?code=")


def test_who_leaves_and_erases_may_come_again(client: FlaskClient) -> None:
    come(client, "verified")
    form = next(f for f in forms(client.get("/account/erase").text) if f.action == "/account/erase")
    assert client.post("/account/erase", data=form.fields).location == "/account/erased"
    assert come(client, "verified") == "/account"
    assert client.get("/account").status_code == 200


def test_the_answer_of_the_service_is_read(client: FlaskClient, service: Service) -> None:
    come(client, "verified")
    page = service.ask(client, prompt="none")
    assert answer(page)["error"] == "consent_required"
