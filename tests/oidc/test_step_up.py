"""A resource server sends a client back to its person (RFC 9470)."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from broker.oidc.step_up import challenge
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.service import Service

CONTACT, HIGHER = f"{ISSUER}/acr/contact", f"{ISSUER}/acr/official-phrh"
TOLD = {"acr": CONTACT, "auth_time": int(NOON.timestamp())}


def test_enough_is_enough() -> None:
    assert challenge(TOLD, now=NOON) is None
    assert challenge(TOLD, now=NOON, acr_values=(HIGHER, CONTACT), max_age=timedelta()) is None


def test_a_level_too_low_is_named_with_those_that_will_do() -> None:
    assert challenge(TOLD, now=NOON, acr_values=(HIGHER,)) == (
        'Bearer error="insufficient_user_authentication", '
        'error_description="a fresher or stronger sign-in is needed", '
        f'acr_values="{HIGHER}"'
    )


@pytest.mark.parametrize("auth_time", [int(NOON.timestamp()) - 61, None, "x"])
def test_a_sign_in_too_old_or_unknown_is_named_with_the_age_that_will_do(
    auth_time: object,
) -> None:
    header = challenge(TOLD | {"auth_time": auth_time}, now=NOON, max_age=timedelta(minutes=1))
    assert header is not None
    assert header.endswith(', max_age="60"')


def test_the_holder_of_a_key_is_challenged_in_its_own_scheme() -> None:
    header = challenge(TOLD | {"cnf": {"jkt": "x"}}, now=NOON, acr_values=(HIGHER,))
    assert header is not None
    assert header.startswith("DPoP ")


@pytest.mark.usefixtures("person")
def test_what_the_challenge_names_is_what_the_client_asks_for_next(
    client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    """The whole way: a token an hour old is refused, the person is asked, not answered."""
    token = service.tokens(client)["access_token"]
    clock.forward(seconds=599)
    told = client.post("/introspect", data={"token": token}, headers=service.basic()).get_json()
    header = challenge(told, now=clock.now, max_age=timedelta(minutes=5))
    assert header is not None
    wanted = dict(re.findall(r'(acr_values|max_age)="([^"]*)"', header))
    assert wanted == {"max_age": "300"}
    response = service.ask(client, **wanted)
    assert response.location.startswith("/sign-in/")
