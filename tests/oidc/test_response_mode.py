"""How an answer travels back: query, form, signed; the same for an error."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from broker import jose
from tests.conftest import ISSUER, NOON
from tests.people import Form, forms
from tests.service import CALLBACK, Person, Service, answer, register, settle

pytestmark = pytest.mark.usefixtures("person")

AT = int(NOON.timestamp())


def posted(response: TestResponse) -> Form:
    """The form that the browser would send to the service."""
    assert response.status_code == 200, response.text
    [form] = [f for f in forms(response.text) if f.action.startswith("https://service.test/")]
    return form


def signed(app: Flask, token: str) -> dict[str, Any]:
    return dict(jose.verify(token, app.extensions["broker"].keyring).claims)


def test_form_post_sends_the_answer_in_a_form(client: FlaskClient, service: Service) -> None:
    form = posted(service.ask(client, response_mode="form_post"))
    assert form.action == CALLBACK
    assert set(form.fields) == {"code", "state", "iss"}
    assert form.fields["iss"] == ISSUER
    assert service.redeem(client, form.fields["code"]).status_code == 200


def test_form_post_works_without_a_script_and_lets_none_in(
    client: FlaskClient, service: Service
) -> None:
    response = service.ask(client, response_mode="form_post")
    assert re.search(r'<button class="button button-primary"[^>]* type="submit"', response.text)
    assert "<script>" not in response.text
    assert "onload" not in response.text
    policy = response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://service.test;" in policy
    assert "script-src 'self';" in policy
    assert response.headers["Cache-Control"] == "no-store"


def test_the_script_that_sends_the_form_is_served(client: FlaskClient, service: Service) -> None:
    page = service.ask(client, response_mode="form_post").text
    address = unescape(page.partition('<script type="module" src="')[2].partition('"')[0])
    with client.get(address) as script:
        assert "submit()" in script.get_data(as_text=True)


@pytest.mark.parametrize("state", ["a b+c%20d", "é&state=1", '"><script>', "مرحبا", "'", "\\u0022"])
def test_form_post_gives_state_back_byte_for_byte(
    client: FlaskClient, service: Service, state: str
) -> None:
    form = posted(service.ask(client, response_mode="form_post", state=state))
    assert form.fields["state"] == state


def test_the_registered_query_stays_in_the_form_s_address(app: Flask, client: FlaskClient) -> None:
    other = register(app, Service("other", redirect_uri=f"{CALLBACK}?a=1&b=2"))
    settle(app, client, agreed=("openid",), service="other")
    assert posted(other.ask(client, response_mode="form_post")).action == f"{CALLBACK}?a=1&b=2"


def test_form_post_carries_errors_too(client: FlaskClient, service: Service) -> None:
    for changed in ({"scope": "profile"}, {"prompt": "x"}):
        form = posted(service.ask(client, response_mode="form_post", **changed))
        assert form.fields["error"] in {"invalid_scope", "invalid_request"}
        assert (form.fields["state"], form.fields["iss"]) == ("é&state=1", ISSUER)
        assert "code" not in form.fields


def test_a_refusal_after_the_steps_goes_by_form_too(app: Flask, service: Service) -> None:
    stranger = app.test_client()
    form = posted(service.ask(stranger, response_mode="form_post", prompt="none"))
    assert form.fields["error"] == "login_required"
    handle = service.ask(stranger, response_mode="form_post").location.rsplit("/", 1)[1]
    form = posted(stranger.get(f"/authorize/{handle}/decline"))
    assert form.fields["error"] == "access_denied"


def test_no_form_goes_to_an_address_that_is_not_registered(
    client: FlaskClient, service: Service
) -> None:
    response = service.ask(client, response_mode="form_post", redirect_uri="https://evil.test/")
    assert response.status_code == 400
    assert "<form" not in response.text
    assert "evil.test" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_jarm_signs_the_answer_as_jarm_2_1_asks(
    app: Flask, client: FlaskClient, service: Service, mode: str
) -> None:
    back = answer(service.ask(client, response_mode=mode))
    assert set(back) == {"response"}
    told = signed(app, back["response"])
    assert (told["iss"], told["aud"], told["state"]) == (ISSUER, "service", "é&state=1")
    assert 0 < told["exp"] - AT <= 600
    assert service.redeem(client, told["code"]).status_code == 200


def test_jarm_by_form(app: Flask, client: FlaskClient, service: Service) -> None:
    form = posted(service.ask(client, response_mode="form_post.jwt"))
    assert set(form.fields) == {"response"}
    assert "code" in signed(app, form.fields["response"])


def test_jarm_signs_errors_too(app: Flask, client: FlaskClient, service: Service) -> None:
    told = signed(app, answer(service.ask(client, response_mode="jwt", scope="x"))["response"])
    assert (told["error"], told["iss"], told["aud"]) == ("invalid_scope", ISSUER, "service")
    assert "error_description" in told


def test_a_signed_answer_cannot_pose_as_an_id_token(client: FlaskClient, service: Service) -> None:
    token = answer(service.ask(client, response_mode="jwt"))["response"]
    back = answer(service.ask(client, id_token_hint=token, prompt="none"))
    assert back["error"] == "login_required"


def test_jarm_uses_the_algorithm_that_was_registered_and_rs256_without_one(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    other = register(app, Service("other"), authorization_signed_response_alg="ES256")
    settle(app, client, agreed=("openid",), service="other")
    for asks, alg in ((service, "RS256"), (other, "ES256")):
        settle(app, client, agreed=("openid",), service=asks.client_id)
        token = answer(asks.ask(client, response_mode="jwt"))["response"]
        assert jose.verify(token, app.extensions["broker"].keyring).header["alg"] == alg


@pytest.mark.parametrize("mode", ["fragment", "fragment.jwt", "web_message", "QUERY", "jwt.query"])
def test_an_unknown_mode_is_refused_by_query(
    client: FlaskClient, service: Service, mode: str
) -> None:
    assert answer(service.ask(client, response_mode=mode))["error"] == "invalid_request"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    state=st.text(st.characters(min_codepoint=32, blacklist_categories=["Cs", "Cc"]), min_size=1),
    mode=st.sampled_from(["query", "form_post", "jwt", "form_post.jwt"]),
)
def test_any_state_survives_any_mode(
    app: Flask, client: FlaskClient, service: Service, state: str, mode: str
) -> None:
    response = service.ask(client, response_mode=mode, state=state)
    if mode.startswith("form_post"):
        said = posted(response).fields
    else:
        said = {k: v[0] for k, v in parse_qs(urlsplit(response.location).query).items()}
    if mode.endswith("jwt"):
        said = signed(app, said["response"])
    assert said["state"] == state


def test_a_stranger_is_still_led_through_the_steps(
    app: Flask, service: Service, person: Person
) -> None:
    stranger = app.test_client()
    for mode in ("form_post", "jwt"):
        assert service.ask(stranger, response_mode=mode).location.startswith("/sign-in/")
