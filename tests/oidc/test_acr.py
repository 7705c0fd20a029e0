"""How sure a service wants to be: wishes that a token answers, and conditions that end in a no."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.jose import unverified_claims
from tests.conftest import ISSUER, StoppedClock
from tests.service import Person, Service, answer, register, settle
from tests.visits import events

HERE, HIGHER = f"{ISSUER}/acr/contact", f"{ISSUER}/acr/official-phrh"

pytestmark = pytest.mark.usefixtures("person")


def wish(place: str = "id_token", **acr: Any) -> str:
    return json.dumps({place: {"acr": acr}})


def told(client: FlaskClient, service: Service, **asked: str) -> dict[str, Any]:
    """The ID token of a request."""
    return unverified_claims(service.tokens(client, **asked)["id_token"])


@pytest.mark.parametrize("asked", [HIGHER, f"{HIGHER} {HERE}", "urn:mace:incommon:iap:silver"])
def test_acr_values_are_a_wish_and_the_token_says_what_was_reached(
    client: FlaskClient, service: Service, asked: str
) -> None:
    """OpenID Connect Core §3.1.2.1: as a voluntary claim."""
    assert told(client, service, acr_values=asked, prompt="none")["acr"] == HERE


@pytest.mark.parametrize(
    "condition",
    [
        {"essential": True, "value": HIGHER},
        {"essential": True, "values": [HIGHER]},
        {"essential": True, "values": ["urn:mace:incommon:iap:silver"]},
        {"essential": True, "values": [f"{HERE}x", "contact"]},
    ],
    ids=str,
)
def test_an_essential_acr_that_is_not_reached_is_unmet_authentication_requirements(
    client: FlaskClient, service: Service, app: Flask, condition: dict[str, Any]
) -> None:
    """OpenID Connect Core §5.5.1.1, by the code of its companion for unmet requirements."""
    back = answer(service.ask(client, claims=wish(**condition), prompt="none"))
    assert back["error"] == "unmet_authentication_requirements"
    assert (back["state"], back["iss"]) == ("é&state=1", ISSUER)
    assert events(app)[-1] == "code.refused"


def test_an_essential_acr_that_is_reached_is_told_by_its_name(
    client: FlaskClient, service: Service
) -> None:
    claims = wish(essential=True, values=[HIGHER, HERE])
    assert told(client, service, claims=claims)["acr"] == HERE


@pytest.mark.parametrize(
    "claims",
    [
        wish(values=[HIGHER]),
        wish(essential=False, value=HIGHER),
        wish(essential=True),
        wish("userinfo", essential=True, value=HIGHER),
    ],
)
def test_what_is_no_condition_on_the_id_token_is_no_reason_to_refuse(
    client: FlaskClient, service: Service, claims: str
) -> None:
    assert told(client, service, claims=claims, prompt="none")["acr"] == HERE


def test_default_acr_values_stand_in_for_none(app: Flask, client: FlaskClient) -> None:
    picky = register(app, Service("picky"), default_acr_values=[HIGHER])
    settle(app, client, agreed=("openid",), service="picky")
    assert told(client, picky, prompt="none")["acr"] == HERE


def test_a_step_up_request_is_answered_with_a_fresh_sign_in_or_not_at_all(
    app: Flask, client: FlaskClient, service: Service, person: Person, clock: StoppedClock
) -> None:
    """RFC 9470 §4: `max_age` and `acr_values` of the challenge, as they stand."""
    clock.forward(minutes=10)
    response = service.ask(client, max_age="60", acr_values=HERE)
    assert response.location.startswith("/sign-in/")
    handle = response.location.rsplit("/", 1)[1]
    clock.forward(seconds=30)
    settle(app, client, agreed=("openid",), account=person.account_id)
    code = answer(client.get(f"/authorize/{handle}"))["code"]
    fresh = unverified_claims(service.redeem(client, code).get_json()["id_token"])
    assert (fresh["auth_time"], fresh["acr"]) == (int(clock.now.timestamp()), HERE)
    clock.forward(minutes=10)
    back = answer(service.ask(client, max_age="60", acr_values=HERE, prompt="none"))
    assert back["error"] == "login_required"
