"""The way to a code: which step is owed, and what prompt and max_age do about it."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import StoppedClock
from tests.service import Person, Service, answer, later, settle


def test_a_stranger_is_sent_to_sign_in(client: FlaskClient, service: Service) -> None:
    response = service.ask(client)
    assert response.status_code == 303
    assert response.location.startswith("/sign-in/")


def test_whoever_has_not_agreed_is_sent_to_consent(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    settle(app, client)
    assert service.ask(client).location.startswith("/consent/")


def test_whoever_is_asked_for_a_name_and_has_shown_nothing_is_sent_to_prove_it(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    settle(app, client, agreed=("openid", "profile"))
    assert service.ask(client, scope="openid profile").location.startswith("/prove/")


def test_prompt_none_shows_no_page_but_says_which_is_owed(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    assert answer(service.ask(client, prompt="none"))["error"] == "login_required"
    person = settle(app, client)
    assert answer(service.ask(client, prompt="none"))["error"] == "consent_required"
    assert person.account_id
    settle(app, client, agreed=("openid", "profile"))
    back = answer(service.ask(client, prompt="none", scope="openid profile"))
    assert back["error"] == "interaction_required"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_prompt_login_asks_again_although_signed_in(
    client: FlaskClient, service: Service, person: Person, clock: StoppedClock, prompt: str
) -> None:
    clock.forward(seconds=5)
    assert service.ask(client, prompt=prompt).location.startswith("/sign-in/")


def test_prompt_consent_asks_again_although_agreed(
    client: FlaskClient, service: Service, person: Person, clock: StoppedClock
) -> None:
    clock.forward(seconds=5)
    assert service.ask(client, prompt="consent").location.startswith("/consent/")


@pytest.mark.parametrize(
    ("max_age", "owed"), [("0", True), ("59", True), ("60", False), ("61", False)]
)
def test_max_age_is_counted_from_the_sign_in(
    client: FlaskClient,
    service: Service,
    person: Person,
    clock: StoppedClock,
    max_age: str,
    owed: bool,
) -> None:
    clock.forward(seconds=60)
    response = service.ask(client, max_age=max_age)
    assert response.location.startswith("/sign-in/") is owed


def test_a_forwarded_link_is_worth_nothing_in_another_browser(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    handle = service.ask(client).location.rsplit("/", 1)[1]
    stranger = app.test_client()
    settle(app, stranger, agreed=("openid",))
    assert stranger.get(f"/authorize/{handle}").status_code == 404
    assert stranger.get(f"/sign-in/{handle}").status_code == 404


def test_an_interaction_ends_with_its_lifetime(
    app: Flask, client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    handle = service.ask(client).location.rsplit("/", 1)[1]
    assert client.get(f"/sign-in/{handle}").status_code == 200
    clock.forward(minutes=45)
    assert client.get(f"/sign-in/{handle}").status_code == 404
    assert client.get(f"/authorize/{handle}").status_code == 404


def test_a_resumed_interaction_ends_in_a_code_and_is_over(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    handle = service.ask(client).location.rsplit("/", 1)[1]
    settle(app, client, agreed=("openid",))
    assert "code" in answer(client.get(f"/authorize/{handle}"))
    assert client.get(f"/authorize/{handle}").status_code == 404


def test_a_head_request_does_not_end_an_interaction(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    handle = service.ask(client).location.rsplit("/", 1)[1]
    settle(app, client, agreed=("openid",))
    client.head(f"/authorize/{handle}")
    assert "code" in answer(client.get(f"/authorize/{handle}"))


def test_declining_is_access_denied(client: FlaskClient, service: Service) -> None:
    handle = service.ask(client).location.rsplit("/", 1)[1]
    back = answer(client.get(f"/authorize/{handle}/decline"))
    assert back["error"] == "access_denied"
    assert client.get(f"/authorize/{handle}").status_code == 404


def test_an_idle_session_is_over_after_an_hour(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    later(app, minutes=59)
    assert "code" in answer(service.ask(client))
    later(app, minutes=59)
    assert "code" in answer(service.ask(client))
    later(app, minutes=60)
    assert service.ask(client).location.startswith("/sign-in/")


def test_a_session_is_over_after_twelve_hours_however_busy(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    for _ in range(23):
        later(app, minutes=31)
        assert "code" in answer(service.ask(client))
    later(app, minutes=31)
    assert service.ask(client).location.startswith("/sign-in/")


def test_another_person_than_the_hint_names_is_sent_back_not_round_in_circles(
    app: Flask, client: FlaskClient, service: Service, person: Person, clock: StoppedClock
) -> None:
    hint = service.tokens(client)["id_token"]
    other = app.test_client()
    settle(app, other, agreed=("openid",))
    handle = service.ask(other, id_token_hint=hint).location.rsplit("/", 1)[1]
    clock.forward(seconds=5)
    settle(app, other, agreed=("openid",))
    assert answer(other.get(f"/authorize/{handle}"))["error"] == "login_required"
