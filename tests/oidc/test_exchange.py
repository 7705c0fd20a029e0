"""A service that was given a token calls another for the person (RFC 8693)."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from broker.oidc.exchange import ACCESS_TOKEN, GRANT_TYPE
from tests.conftest import ISSUER, StoppedClock
from tests.oidc.test_introspection import INACTIVE, ask
from tests.oidc.test_revocation import works
from tests.oidc.test_token import events
from tests.proofs import ProofKey
from tests.service import Person, Service, register

FIRST, SECOND, THIRD = (f"https://{name}.test/" for name in ("first", "second", "third"))

pytestmark = pytest.mark.usefixtures("person")


def api(app: Flask, name: str, **changed: Any) -> Service:
    """A service with an API, which may exchange the tokens that it is given."""
    return register(
        app,
        Service(name, secret=name),
        grant_types=[GRANT_TYPE, "client_credentials"],
        resource_identifiers=[f"https://{name}.test/"],
        **changed,
    )


@pytest.fixture
def first(app: Flask) -> Service:
    return api(app, "first")


@pytest.fixture
def second(app: Flask) -> Service:
    return api(app, "second")


@pytest.fixture
def token(client: FlaskClient, service: Service, first: Service, second: Service) -> str:
    """A token that the person's client was given for the first service."""
    found: str = service.tokens(client, scope="openid offline_access", resource=FIRST)[
        "access_token"
    ]
    return found


def exchange(
    client: FlaskClient,
    service: Service,
    token: str,
    headers: dict[str, str] | None = None,
    **changed: str | list[str] | None,
) -> TestResponse:
    form: dict[str, Any] = {
        "grant_type": GRANT_TYPE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        **changed,
    }
    sent = {name: value for name, value in form.items() if value is not None}
    return client.post("/token", data=sent, headers=service.basic() | (headers or {}))


def refusal(response: TestResponse) -> str:
    assert response.status_code == 400, response.text
    found: str = response.get_json()["error"]
    return found


def test_the_result_names_the_person_and_who_acts(
    client: FlaskClient, service: Service, first: Service, second: Service, token: str
) -> None:
    answer = exchange(client, first, token, resource=SECOND).get_json()
    assert answer["issued_token_type"] == ACCESS_TOKEN
    assert answer["token_type"] == "Bearer"
    assert answer["scope"] == "openid"
    assert not {"refresh_token", "id_token"} & set(answer)
    told = ask(client, second, answer["access_token"])
    assert told["sub"] == ask(client, service, token)["sub"]
    assert told["act"] == {"sub": "first"}
    assert (told["client_id"], told["aud"]) == ("first", SECOND)


def test_a_second_exchange_puts_the_first_actor_inside(
    app: Flask, client: FlaskClient, first: Service, second: Service, token: str
) -> None:
    third = api(app, "third")
    once = exchange(client, first, token, resource=SECOND).get_json()["access_token"]
    twice = exchange(client, second, once, resource=THIRD).get_json()["access_token"]
    assert ask(client, third, twice)["act"] == {"sub": "second", "act": {"sub": "first"}}


def test_a_chain_of_actors_has_an_end(client: FlaskClient, first: Service, token: str) -> None:
    for _ in range(4):
        token = exchange(client, first, token).get_json()["access_token"]
    assert refusal(exchange(client, first, token)) == "invalid_request"


def test_an_exchange_stands_in_the_record_without_the_person(
    app: Flask, client: FlaskClient, first: Service, token: str, person: Person
) -> None:
    exchange(client, first, token, resource=SECOND)
    [entry] = events(app, "token.exchanged")
    assert entry["facts"]["client"] == "first"
    assert entry["facts"]["given_by"] == "service"
    assert entry["facts"]["actor"] == "first"
    assert entry["facts"]["audience"] == [SECOND]
    assert person.account_id not in json.dumps(entry)


# Never more than the subject token.


def test_the_scope_is_narrowed_and_never_widened(
    client: FlaskClient, first: Service, token: str
) -> None:
    assert exchange(client, first, token, scope="openid").get_json()["scope"] == "openid"
    assert refusal(exchange(client, first, token, scope="openid profile")) == "invalid_scope"


def test_the_result_ends_no_later_than_the_subject_token(
    client: FlaskClient, first: Service, token: str, clock: StoppedClock
) -> None:
    clock.forward(seconds=400)
    answer = exchange(client, first, token).get_json()
    assert answer["expires_in"] == 200
    clock.forward(seconds=200)
    assert ask(client, first, answer["access_token"]) == INACTIVE


def test_without_a_target_the_audience_stays_what_it_was(
    client: FlaskClient, first: Service, token: str
) -> None:
    result = exchange(client, first, token).get_json()["access_token"]
    assert ask(client, first, result)["aud"] == FIRST


def test_no_exchange_opens_userinfo_that_was_closed(
    client: FlaskClient, first: Service, token: str
) -> None:
    assert refusal(exchange(client, first, token, resource=ISSUER)) == "invalid_target"
    assert not works(client, exchange(client, first, token).get_json()["access_token"])


def test_what_is_revoked_ends_what_was_exchanged_for_it(
    client: FlaskClient, service: Service, first: Service, second: Service
) -> None:
    tokens = service.tokens(client, scope="openid offline_access", resource=FIRST)
    result = exchange(client, first, tokens["access_token"], resource=SECOND).get_json()
    assert ask(client, second, result["access_token"])["active"]
    form = {"token": tokens["refresh_token"]}
    client.post("/revoke", data=form, headers=service.basic())
    assert ask(client, second, result["access_token"]) == INACTIVE


# For whom: RFC 8707 and RFC 8693 §2.1.


def test_an_audience_is_named_by_its_client_id(
    client: FlaskClient, first: Service, second: Service, token: str
) -> None:
    answer = exchange(client, first, token, audience="second", resource=SECOND).get_json()
    assert ask(client, second, answer["access_token"])["aud"] == [SECOND, "second"]


@pytest.mark.parametrize(
    "target",
    [
        {"resource": "https://nobody.test/"},
        {"audience": "nobody"},
        {"audience": ["second", "nobody"]},
        {"audience": [f"x{n}" for n in range(9)]},
    ],
)
def test_an_unknown_target_is_refused(
    client: FlaskClient, first: Service, token: str, target: dict[str, Any]
) -> None:
    assert refusal(exchange(client, first, token, **target)) == "invalid_target"


# Who may.


def test_a_service_that_the_token_is_not_meant_for_cannot_exchange_it(
    app: Flask, client: FlaskClient, second: Service, token: str
) -> None:
    assert refusal(exchange(client, second, token)) == "invalid_request"
    assert events(app, "token.refused")[-1]["facts"]["client"] == "second"


def test_a_client_may_exchange_its_own_token(app: Flask, client: FlaskClient) -> None:
    from tests.service import settle

    own = register(
        app, Service("own"), grant_types=["authorization_code", GRANT_TYPE], sector="own.test"
    )
    settle(app, client, agreed=("openid",), service="own")
    api(app, "second")
    mine = own.tokens(client)["access_token"]
    told = ask(client, own, exchange(client, own, mine, resource=SECOND).get_json()["access_token"])
    assert told["act"] == {"sub": "own"}


def test_may_act_names_the_only_service_that_may(
    app: Flask, client: FlaskClient, person: Person, first: Service, second: Service
) -> None:
    from tests.service import agree

    careful = register(app, Service("careful"), may_act="second")
    agree(app, person, ("openid",), service="careful")
    token = careful.tokens(client, resource=FIRST)["access_token"]
    assert refusal(exchange(client, first, token)) == "invalid_request"
    result = exchange(client, second, token).get_json()["access_token"]
    assert ask(client, second, result)["act"] == {"sub": "second"}


def test_a_service_without_the_grant_type_and_a_public_one_are_refused(
    app: Flask, client: FlaskClient, service: Service, token: str
) -> None:
    assert refusal(exchange(client, service, token)) == "unauthorized_client"
    register(
        app,
        Service("public"),
        token_endpoint_auth_method="none",
        secret=None,
        grant_types=["authorization_code", GRANT_TYPE],
    )
    form = {
        "grant_type": GRANT_TYPE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "client_id": "public",
    }
    assert refusal(client.post("/token", data=form)) == "unauthorized_client"


@pytest.mark.parametrize(
    "changed",
    [
        {"subject_token": None},
        {"subject_token": "unknown"},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token": "x"},
        {"actor_token": "unknown", "actor_token_type": ACCESS_TOKEN},
        {"actor_token_type": ACCESS_TOKEN},
    ],
    ids=str,
)
def test_a_request_that_lacks_something_is_invalid(
    client: FlaskClient, first: Service, token: str, changed: dict[str, Any]
) -> None:
    assert refusal(exchange(client, first, token, **changed)) == "invalid_request"


def test_a_refresh_token_a_code_and_a_clients_own_token_are_no_subject_tokens(
    client: FlaskClient, service: Service, first: Service
) -> None:
    tokens = service.tokens(client, scope="openid offline_access", resource=FIRST)
    for wrong in (tokens["refresh_token"], tokens["id_token"], own(client, first)):
        assert refusal(exchange(client, first, wrong)) == "invalid_request"


# actor_token: RFC 8693 §2.1.


def own(client: FlaskClient, service: Service) -> str:
    form = {"grant_type": "client_credentials"}
    response = client.post("/token", data=form, headers=service.basic())
    found: str = response.get_json()["access_token"]
    return found


def test_the_actor_may_prove_itself_with_a_token_of_its_own(
    client: FlaskClient, first: Service, second: Service, token: str
) -> None:
    actor = {"actor_token": own(client, first), "actor_token_type": ACCESS_TOKEN}
    result = exchange(client, first, token, None, **actor).get_json()["access_token"]
    assert ask(client, first, result)["act"] == {"sub": "first"}


def test_nobody_acts_in_anothers_name(
    client: FlaskClient, service: Service, first: Service, second: Service, token: str
) -> None:
    for wrong in (own(client, second), token):
        actor = {"actor_token": wrong, "actor_token_type": ACCESS_TOKEN}
        assert refusal(exchange(client, first, token, None, **actor)) == "invalid_request"


def test_the_result_is_bound_to_the_key_of_who_asked(
    client: FlaskClient, first: Service, token: str
) -> None:
    key = ProofKey()
    answer = exchange(client, first, token, {"DPoP": key.proof()}).get_json()
    assert answer["token_type"] == "DPoP"
    assert ask(client, first, answer["access_token"])["cnf"] == {"jkt": key.thumbprint}
