"""What /authorize accepts, what it refuses on a page, and what by a redirect."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from broker.db import reading
from broker.oidc.models import GrantRow
from tests.service import (
    CALLBACK,
    Person,
    Service,
    answer,
    challenge,
    is_page_of_refusal,
    register,
    settle,
)

pytestmark = pytest.mark.usefixtures("person")


def test_a_plain_request_of_a_settled_person_is_answered_with_a_code(
    client: FlaskClient, service: Service
) -> None:
    back = answer(service.ask(client))
    assert set(back) == {"code", "state", "iss"}
    assert len(back["code"]) == 51


def test_state_comes_back_byte_for_byte(client: FlaskClient, service: Service) -> None:
    for state in ("é&state=1", "a b+c%20d", "مرحبا", "x" * 2000, "<script>'\""):
        assert answer(service.ask(client, state=state))["state"] == state


def test_every_answer_names_its_issuer_as_rfc_9207_asks(
    client: FlaskClient, service: Service
) -> None:
    assert answer(service.ask(client))["iss"] == "https://broker.test"
    assert answer(service.ask(client, scope="email"))["iss"] == "https://broker.test"


def test_the_query_that_was_registered_is_kept(app: Flask, client: FlaskClient) -> None:
    other = register(
        app, Service("other", redirect_uri=f"{CALLBACK}?tenant=7"), sector="other.test"
    )
    settle(app, client, agreed=("openid",), service="other")
    assert answer(other.ask(client))["tenant"] == "7"


def test_a_post_of_another_site_is_turned_into_a_get_that_brings_the_cookies(
    client: FlaskClient, service: Service
) -> None:
    bounced = client.post("/authorize", data=service.arguments())
    assert bounced.status_code == 303
    assert bounced.location.startswith("/authorize?")
    assert "code" in answer(client.get(bounced.location))


def test_a_head_request_mints_no_code(app: Flask, client: FlaskClient, service: Service) -> None:
    assert client.head(f"/authorize?{urlencode(service.arguments())}").status_code == 200
    with app.app_context(), reading() as tx:
        assert tx.scalars(select(GrantRow)).all() == []


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "surprise"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "a" * 44}, "invalid_request"),
        ({"code_challenge": "!" * 43}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "surprise"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"max_age": "9" * 30}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://service.test/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"nonce": "a\x00b"}, "invalid_request"),
        ({"login_hint": "x" * 7000}, "invalid_request"),
    ],
)
def test_a_faulty_request_is_refused_at_the_registered_address(
    client: FlaskClient, service: Service, changed: dict[str, str | None], error: str
) -> None:
    back = answer(service.ask(client, **changed))
    assert (back["error"], back["state"]) == (error, "é&state=1")
    assert "code" not in back
    assert back["error_description"].isascii()


@pytest.mark.parametrize("name", ["scope", "nonce", "state", "code_challenge", "prompt"])
def test_a_parameter_must_not_be_sent_twice(
    client: FlaskClient, service: Service, name: str
) -> None:
    query = urlencode([*service.arguments().items(), (name, "openid")])
    assert answer(client.get(f"/authorize?{query}"))["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_two_clients_or_two_addresses_are_refused_on_a_page(
    client: FlaskClient, service: Service, name: str
) -> None:
    arguments = service.arguments()
    query = urlencode([*arguments.items(), (name, arguments[name])])
    response = client.get(f"/authorize?{query}")
    assert is_page_of_refusal(response)


def test_an_empty_parameter_is_as_if_absent(client: FlaskClient, service: Service) -> None:
    assert "code" in answer(service.ask(client, prompt="", max_age="", acr_values=""))


def test_unknown_parameters_and_scope_values_are_ignored(
    client: FlaskClient, service: Service
) -> None:
    response = service.ask(client, scope="openid surprise", display="popup", foo="bar")
    assert "code" in answer(response)


def test_a_scope_that_the_client_did_not_register_is_refused(
    app: Flask, client: FlaskClient
) -> None:
    modest = register(app, Service("modest"), scope=["openid"])
    assert answer(modest.ask(client, scope="openid profile"))["error"] == "invalid_scope"


def test_a_client_without_the_code_flow_is_refused(app: Flask, client: FlaskClient) -> None:
    machine = register(app, Service("machine"), grant_types=["client_credentials"])
    assert answer(machine.ask(client))["error"] == "unauthorized_client"


def test_an_unknown_client_is_told_so_on_a_page(client: FlaskClient, service: Service) -> None:
    for name in ("nobody", "", "a\x00b", "x" * 500):
        response = service.ask(client, client_id=name)
        assert is_page_of_refusal(response)


MUTATIONS = [
    CALLBACK + "/",
    CALLBACK + "?",
    CALLBACK + "#",
    CALLBACK + "?x=1",
    CALLBACK + "/../evil",
    CALLBACK + "%2f",
    CALLBACK.upper(),
    CALLBACK.replace("https", "http"),
    CALLBACK.replace("service.test", "service.test:443"),
    CALLBACK.replace("service.test", "service.test."),
    CALLBACK.replace("service.test", "evil.test"),
    CALLBACK.replace("service.test", "service.test@evil.test"),
    CALLBACK.replace("service.test", "service.test.evil.test"),
    CALLBACK.replace("https://", "//"),
    CALLBACK.replace("https://", "https:\\\\"),
    CALLBACK + "\n",
    " " + CALLBACK,
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("address", MUTATIONS)
@pytest.mark.parametrize(
    "other_fault", [{}, {"scope": "x"}, {"prompt": "foo"}, {"response_type": "x"}]
)
def test_no_redirect_to_an_address_that_is_not_registered_to_the_letter(
    client: FlaskClient, service: Service, address: str, other_fault: dict[str, str]
) -> None:
    response = service.ask(client, redirect_uri=address, **other_fault)
    assert is_page_of_refusal(response)


def test_another_clients_address_is_not_mine(app: Flask, client: FlaskClient) -> None:
    other = register(app, Service("other", redirect_uri="https://other.test/cb"))
    response = other.ask(client, redirect_uri=CALLBACK)
    assert is_page_of_refusal(response)


def test_the_error_page_escapes_what_was_sent(client: FlaskClient, service: Service) -> None:
    response = service.ask(client, client_id="<script>alert(1)</script>")
    assert "<script>alert" not in response.text


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    changed=st.dictionaries(
        st.sampled_from(
            [
                "client_id",
                "redirect_uri",
                "response_type",
                "scope",
                "state",
                "nonce",
                "prompt",
                "max_age",
                "acr_values",
                "code_challenge",
                "ui_locales",
                "id_token_hint",
                "request",
                "claims",
                "display",
                "response_mode",
                "code_challenge_method",
                "foo",
            ]
        ),
        st.text(max_size=60) | st.sampled_from(["openid", "none", "code", CALLBACK, challenge()]),
        max_size=6,
    )
)
def test_no_request_whatever_is_answered_with_5xx_or_sent_elsewhere(
    client: FlaskClient, service: Service, changed: dict[str, str]
) -> None:
    # surrogates cannot be sent in a URL; everything else can
    sendable = {k: v.encode("utf-8", "ignore").decode() for k, v in changed.items()}
    response = client.get(f"/authorize?{urlencode(service.arguments(**sendable))}")
    assert response.status_code < 500
    if response.location is not None:
        parts = urlsplit(response.location)
        ours = not parts.netloc and parts.path.startswith("/")
        assert ours or f"{parts.scheme}://{parts.netloc}{parts.path}" == CALLBACK
        if not ours and "error" in parse_qs(parts.query):
            assert "code" not in parse_qs(parts.query)


def test_ids_in_a_hint_of_another_person_are_login_required(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    hint = service.tokens(client)["id_token"]
    assert "code" in answer(service.ask(client, id_token_hint=hint, prompt="none"))
    settle(app, client, agreed=("openid",))
    back = answer(service.ask(client, id_token_hint=hint, prompt="none"))
    assert back["error"] == "login_required"


def test_a_forged_hint_is_login_required(client: FlaskClient, service: Service) -> None:
    hint = service.tokens(client)["id_token"]
    forged = hint[:-8] + ("AAAAAAAA" if not hint.endswith("AAAAAAAA") else "BBBBBBBB")
    for bad in (forged, "x", "a.b.c"):
        back = answer(service.ask(client, id_token_hint=bad, prompt="none"))
        assert back["error"] == "login_required"
