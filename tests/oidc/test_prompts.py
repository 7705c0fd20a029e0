"""What a request asks of its pages: prompt, max_age, hints, languages, display (Core §3.1.2.1)."""

import re
from itertools import combinations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from broker.jose import unverified_claims
from tests.conftest import StoppedClock
from tests.service import Person, Service, answer, register, settle

WORDS = ("consent", "login", "none", "select_account")
EVERY = [" ".join(words) for n in (1, 2, 3, 4) for words in combinations(WORDS, n)]


def first_page(response: TestResponse) -> str:
    """The name of the page that is shown, "" for an answer."""
    found = re.match(r"/([a-z-]+)/", response.location)
    return found[1] if found else ""


@pytest.mark.parametrize("prompt", EVERY)
def test_of_every_combination_the_right_page_comes_first(
    client: FlaskClient, service: Service, person: Person, clock: StoppedClock, prompt: str
) -> None:
    clock.forward(seconds=5)
    response, words = service.ask(client, prompt=prompt), set(prompt.split())
    if words == {"none"}:
        assert "code" in answer(response)
    elif "none" in words:
        assert answer(response)["error"] == "invalid_request"
    else:
        assert first_page(response) == ("consent" if words == {"consent"} else "sign-in")


@pytest.mark.parametrize("prompt", [p for p in EVERY if "none" not in p])
def test_each_page_that_was_asked_for_is_shown_once_and_then_there_is_a_code(
    app: Flask,
    client: FlaskClient,
    service: Service,
    person: Person,
    clock: StoppedClock,
    prompt: str,
) -> None:
    clock.forward(seconds=5)
    response, shown = service.ask(client, prompt=prompt), []
    while name := first_page(response):
        shown.append(name)
        handle = response.location.rsplit("/", 1)[1]
        clock.forward(seconds=5)
        settle(
            app,
            client,
            agreed=("openid",) if name == "consent" else (),
            account=person.account_id,
        )
        response = client.get(f"/authorize/{handle}")
    assert "code" in answer(response)
    wanted = ["sign-in"] if {"login", "select_account"} & set(prompt.split()) else []
    assert shown == wanted + (["consent"] if "consent" in prompt else [])


def test_auth_time_is_the_sign_in_and_not_the_request(
    client: FlaskClient, service: Service, person: Person, clock: StoppedClock
) -> None:
    signed_in = int(clock.now.timestamp())
    clock.forward(minutes=5)
    token = service.tokens(client, max_age="1000")["id_token"]
    assert unverified_claims(token)["auth_time"] == signed_in


@pytest.mark.parametrize("max_age", ["0", "1", "299"])
def test_too_old_a_sign_in_is_login_required_where_no_page_may_be_shown(
    client: FlaskClient, service: Service, person: Person, clock: StoppedClock, max_age: str
) -> None:
    clock.forward(minutes=5)
    back = answer(service.ask(client, max_age=max_age, prompt="none"))
    assert back["error"] == "login_required"


def test_a_registered_max_age_stands_in_for_none_and_gives_way_to_one(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    hasty = register(app, default_max_age=60)
    settle(app, client, agreed=("openid",))
    clock.forward(minutes=5)
    assert answer(hasty.ask(client, prompt="none"))["error"] == "login_required"
    assert "code" in answer(hasty.ask(client, prompt="none", max_age="600"))


def test_a_hint_of_long_ago_still_names_the_person(
    client: FlaskClient, service: Service, person: Person, clock: StoppedClock
) -> None:
    """Core §3.1.2.1: an expired ID token is a hint all the same."""
    hint = service.tokens(client)["id_token"]
    clock.forward(minutes=50)
    assert "code" in answer(service.ask(client, id_token_hint=hint, prompt="none"))


def test_an_access_token_or_another_kind_of_jwt_is_no_hint(app: Flask, client: FlaskClient) -> None:
    service = register(app, access_token_format="jwt")
    settle(app, client, agreed=("openid",))
    token = service.tokens(client)["access_token"]
    back = answer(service.ask(client, id_token_hint=token, prompt="none"))
    assert back["error"] == "login_required"


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_ui_locales_chooses_the_language_of_the_pages(
    client: FlaskClient, service: Service, language: str
) -> None:
    response = service.ask(client, ui_locales=f"xx {language}")
    page = client.get(response.location)
    assert f'lang="{language}"' in page.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("login_hint", "personne@example.org"),
        ("login_hint", "<script>alert(1)</script>"),
        ("claims_locales", "ar fr"),
        ("ui_locales", "tlh xx-YY"),
        ("display", "page"),
        ("display", "popup"),
        ("display", "touch"),
        ("display", "wap"),
        ("display", "surprise"),
    ],
)
def test_what_is_only_a_hint_never_stands_in_the_way(
    client: FlaskClient,
    service: Service,
    person: Person,
    clock: StoppedClock,
    name: str,
    value: str,
) -> None:
    clock.forward(seconds=5)
    assert "code" in answer(service.ask(client, **{name: value}))
    page = client.get(service.ask(client, prompt="consent login", **{name: value}).location)
    assert page.status_code < 400
    assert value not in page.text or name == "display"


def test_a_lasting_access_is_given_only_to_whom_the_person_agreed(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    """Core §11: a refresh token needs consent; agreed to before, it need not be asked again."""
    settle(app, client, agreed=("openid",))
    asked = {"scope": "openid offline_access"}
    assert first_page(service.ask(client, **asked)) == "consent"
    assert answer(service.ask(client, prompt="none", **asked))["error"] == "consent_required"
    settle(app, client, agreed=("openid", "offline_access"))
    assert "refresh_token" in service.tokens(client, prompt="none", **asked)
    assert "refresh_token" not in service.tokens(client)
