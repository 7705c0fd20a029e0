"""Requests pushed before their person comes (RFC 9126)."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import StoppedClock
from tests.oidc.asking import open_pushed, push, pushed
from tests.oidc.test_races import at_once
from tests.proofs import ProofKey
from tests.service import (
    CALLBACK,
    VERIFIER,
    Person,
    Service,
    answer,
    is_page_of_refusal,
    register,
    settle,
)


def test_a_pushed_request_is_answered_with_a_uri_of_its_own(
    client: FlaskClient, service: Service
) -> None:
    response = push(client, service)
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    told = response.get_json()
    assert told["expires_in"] == 90
    assert told["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert len(told["request_uri"].rsplit(":", 1)[1]) == 43
    assert pushed(client, service) != told["request_uri"]


def test_opening_it_is_the_same_as_asking_directly(
    client: FlaskClient, service: Service, person: Person
) -> None:
    back = answer(open_pushed(client, service, pushed(client, service)))
    assert (back["state"], back["iss"]) == ("é&state=1", "https://broker.test")
    assert service.redeem(client, back["code"]).status_code == 200


def test_what_stands_beside_the_request_uri_counts_for_nothing(
    client: FlaskClient, service: Service, person: Person
) -> None:
    uri = pushed(client, service)
    back = answer(
        open_pushed(
            client, service, uri, state="other", redirect_uri="https://evil.test/", scope="x"
        )
    )
    assert back["state"] == "é&state=1"
    assert "code" in back


def test_it_is_over_once_a_code_was_issued(
    client: FlaskClient, service: Service, person: Person
) -> None:
    uri = pushed(client, service)
    assert "code" in answer(open_pushed(client, service, uri))
    assert is_page_of_refusal(open_pushed(client, service, uri))


def test_it_is_over_once_an_error_was_returned(client: FlaskClient, service: Service) -> None:
    uri = pushed(client, service, prompt="none")
    assert answer(open_pushed(client, service, uri))["error"] == "login_required"
    assert is_page_of_refusal(open_pushed(client, service, uri))


def test_until_it_is_answered_it_may_be_opened_again(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    uri = pushed(client, service)
    first, second = (open_pushed(client, service, uri).location for _ in range(2))
    assert first.startswith("/sign-in/")
    assert second.startswith("/sign-in/")
    settle(app, client, agreed=("openid",))
    handles = [path.rsplit("/", 1)[1] for path in (first, second)]
    assert "code" in answer(client.get(f"/authorize/{handles[0]}"))
    assert is_page_of_refusal(client.get(f"/authorize/{handles[1]}"))
    assert is_page_of_refusal(client.get(f"/authorize/{handles[1]}/decline"))


def test_it_waits_for_ninety_seconds(
    client: FlaskClient, service: Service, person: Person, clock: StoppedClock
) -> None:
    uri = pushed(client, service)
    clock.forward(seconds=90)
    assert is_page_of_refusal(open_pushed(client, service, uri))
    uri = pushed(client, service)
    clock.forward(seconds=89)
    assert "code" in answer(open_pushed(client, service, uri))


def test_a_person_may_take_longer_than_the_uri_lives(
    app: Flask, client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    handle = open_pushed(client, service, pushed(client, service)).location.rsplit("/", 1)[1]
    clock.forward(minutes=30)
    settle(app, client, agreed=("openid",))
    assert "code" in answer(client.get(f"/authorize/{handle}"))


def test_another_client_cannot_open_it(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    other = register(app, Service("other"))
    assert is_page_of_refusal(open_pushed(client, other, pushed(client, service)))


def test_an_unknown_request_uri_is_refused_on_a_page(
    client: FlaskClient, service: Service, person: Person
) -> None:
    for tail in ("", "x" * 43, "\x00", "../../authorize"):
        uri = f"urn:ietf:params:oauth:request_uri:{tail}"
        assert is_page_of_refusal(open_pushed(client, service, uri))


def test_an_address_that_is_registered_no_more_is_not_redirected_to(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    from broker.db import transaction
    from broker.oidc.models import ClientRow

    uri = pushed(client, service)
    with app.app_context(), transaction() as tx:
        row = tx.get(ClientRow, service.client_id)
        assert row is not None
        row.metadata_text = row.metadata_text.replace(CALLBACK, "https://moved.test/callback")
    assert is_page_of_refusal(open_pushed(client, service, uri))


def test_pushing_needs_client_authentication(client: FlaskClient, service: Service) -> None:
    assert client.post("/par", data=service.arguments()).status_code == 401
    wrong = Service(secret="wrong")
    assert push(client, service, headers=wrong.basic()).status_code == 401


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request": "a.b.c"}, "invalid_request_object"),
        ({"redirect_uri": "https://evil.test/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"resource": "https://nobody.test/"}, "invalid_target"),
        ({"claims": "{"}, "invalid_request"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"client_id": "other"}, "invalid_request"),
        ({"prompt": "x"}, "invalid_request"),
    ],
)
def test_every_check_is_made_when_it_is_pushed(
    client: FlaskClient, service: Service, changed: dict[str, Any], error: str
) -> None:
    response = push(client, service, **changed)
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert response.get_json()["error"] == error


def test_a_client_that_must_push_cannot_ask_directly(app: Flask, client: FlaskClient) -> None:
    strict = register(app, Service("strict"), require_pushed_authorization_requests=True)
    settle(app, client, agreed=("openid",), service="strict")
    assert answer(strict.ask(client))["error"] == "invalid_request"
    assert is_page_of_refusal(strict.ask(client, redirect_uri="https://evil.test/"))
    long = strict.arguments(claims='{"userinfo": {}, "x": "' + "x" * 7000 + '"}')
    assert answer(client.post("/authorize", data=long))["error"] == "invalid_request"
    assert "code" in answer(open_pushed(client, strict, pushed(client, strict)))


def test_a_proof_that_comes_along_binds_the_code(
    client: FlaskClient, service: Service, person: Person
) -> None:
    key, other = ProofKey(), ProofKey()
    headers = service.basic() | {"DPoP": key.proof("/par")}
    uri = push(client, service, headers=headers).get_json()["request_uri"]
    code = answer(open_pushed(client, service, uri))["code"]
    stolen = service.redeem(client, code, headers=service.basic() | {"DPoP": other.proof()})
    assert stolen.status_code == 400


def test_a_proof_of_another_key_than_dpop_jkt_names_is_refused(
    client: FlaskClient, service: Service
) -> None:
    headers = service.basic() | {"DPoP": ProofKey().proof("/par")}
    response = push(client, service, headers=headers, dpop_jkt=ProofKey().thumbprint)
    assert response.get_json()["error"] == "invalid_dpop_proof"


def test_it_is_a_machine_s_door(client: FlaskClient, service: Service) -> None:
    refused = client.get("/par")
    assert (refused.status_code, "POST" in refused.headers["Allow"]) == (405, True)
    assert "error" in refused.get_json()


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.dictionaries(
        st.sampled_from(
            (
                *("client_id", "request", "request_uri", "claims", "resource", "scope", "max_age"),
                *("redirect_uri", "authorization_details", "response_mode", "dpop_jkt", "state"),
                *("prompt", "foo"),
            )
        ),
        st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
        | st.sampled_from(["{}", "[]", "openid", "e30.e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30.AA"]),
        max_size=5,
    )
)
def test_whatever_is_pushed_is_never_answered_with_5xx(
    client: FlaskClient, service: Service, changed: dict[str, Any]
) -> None:
    data: dict[str, Any] = changed
    assert push(client, service, **data).status_code < 500


def test_one_of_fifty_that_open_it_at_once_gets_a_code(disk_app: Flask) -> None:
    service = register(disk_app)
    opener = disk_app.test_client()
    person = settle(disk_app, opener, agreed=("openid",))
    uri = pushed(opener, service)
    codes: list[str] = []

    def complete(client: FlaskClient) -> Any:
        client.set_cookie("__Host-miftah_session", person.session_secret)
        response = open_pushed(client, service, uri)
        if response.status_code == 303:
            codes.append(answer(response)["code"])
        return response

    assert sorted(at_once(disk_app, complete, times=50)) == [303] + [400] * 49
    assert len(codes) == 1
    assert service.redeem(opener, codes[0], changed={"code_verifier": VERIFIER}).status_code == 200
