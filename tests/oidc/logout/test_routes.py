"""The end_session_endpoint: at once for this very visit, else asked, and never elsewhere."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from broker import jose
from broker.oidc.logout.queue import Notice
from broker.oidc.logout.telling import logout_claims
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.oidc.logout.conftest import BYE, notices, sessions
from tests.people import forms
from tests.service import Person, Service, agree, later, register, settle
from tests.visits import entries, events


def leave(client: FlaskClient, **said: str | None) -> TestResponse:
    """GET /logout with these parameters."""
    return client.get(f"/logout?{urlencode({k: v for k, v in said.items() if v is not None})}")


def confirm(client: FlaskClient, page: TestResponse) -> TestResponse:
    """The person says yes on the page."""
    form = next(form for form in forms(page.text) if form.action == "/logout/confirm")
    return client.post(form.action, data=form.fields)


def is_question(response: TestResponse) -> bool:
    return response.status_code == 200 and 'id="logout-confirm"' in response.text


@pytest.fixture
def hint(client: FlaskClient, service: Service, person: Person) -> str:
    """An ID token of the visit in `client`."""
    return str(service.tokens(client)["id_token"])


# At once


def test_a_hint_of_this_very_visit_signs_out_at_once(
    app: Flask, client: FlaskClient, hint: str
) -> None:
    gone = leave(client, id_token_hint=hint, post_logout_redirect_uri=BYE, state="é&s=1")
    assert gone.status_code == 303
    assert gone.location == f"{BYE}?{urlencode({'state': 'é&s=1'})}"
    assert sessions(app) == []
    assert client.get_cookie("__Host-miftah_session") is None
    [ended] = [e["facts"] for e in entries(app) if e["event"] == "session.ended"]
    assert (ended["client"], ended["everywhere"]) == ("service", False)


def test_the_registered_query_is_kept_and_no_state_is_invented(
    client: FlaskClient, hint: str
) -> None:
    gone = leave(client, id_token_hint=hint, post_logout_redirect_uri=f"{BYE}?kept=1")
    assert gone.location == f"{BYE}?kept=1"


def test_an_expired_id_token_is_hint_enough(
    app: Flask, client: FlaskClient, clock: StoppedClock, hint: str
) -> None:
    clock.forward(minutes=50)
    assert leave(client, id_token_hint=hint, post_logout_redirect_uri=BYE).location == BYE
    assert sessions(app) == []


def test_an_id_token_of_a_refresh_is_of_the_same_visit(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    first = service.tokens(client, scope="openid offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    again = client.post("/token", data=form, headers=service.basic()).get_json()["id_token"]
    assert leave(client, id_token_hint=again, post_logout_redirect_uri=BYE).location == BYE


def test_without_an_address_to_go_to_the_page_says_who_is_told(
    client: FlaskClient, hint: str
) -> None:
    page = leave(client, id_token_hint=hint, ui_locales="fr")
    assert page.status_code == 200
    assert 'id="logout-told"' in page.text
    assert "Service d’essai" in page.text


def test_where_nobody_is_signed_in_a_hint_is_followed_home(
    app: Flask, client: FlaskClient, hint: str
) -> None:
    stranger = app.test_client()
    assert leave(stranger, id_token_hint=hint, post_logout_redirect_uri=BYE).location == BYE
    assert len(sessions(app)) == 1


# Asked


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"state": "s"},
        {"client_id": "service"},
        {"logout_hint": "somebody"},
        {"client_id": "service", "post_logout_redirect_uri": BYE, "state": "s"},
    ],
    ids=lambda said: "+".join(said) or "nothing",
)
def test_without_a_hint_the_person_is_asked_and_nothing_has_happened(
    app: Flask, client: FlaskClient, service: Service, person: Person, said: dict[str, str]
) -> None:
    assert is_question(leave(client, **said))
    assert sessions(app) == [person.account_id]
    assert "session.ended" not in events(app)


def test_a_yes_on_our_page_signs_out_and_leads_back(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    page = leave(client, client_id="service", post_logout_redirect_uri=BYE, state="s")
    assert (
        f"form-action 'self' {BYE.removesuffix('/bye')}" in page.headers["Content-Security-Policy"]
    )
    gone = confirm(client, page)
    assert (gone.status_code, gone.location) == (303, f"{BYE}?state=s")
    assert sessions(app) == []


def test_another_persons_hint_signs_nobody_out(app: Flask, client: FlaskClient, hint: str) -> None:
    other = app.test_client()
    settle(app, other, agreed=("openid",))
    page = leave(other, id_token_hint=hint, post_logout_redirect_uri=BYE, ui_locales="en")
    assert is_question(page)
    assert "another visit" in page.text
    assert len(sessions(app)) == 2


def test_a_hint_of_the_persons_other_browser_signs_nobody_out(
    app: Flask, client: FlaskClient, service: Service, person: Person, hint: str
) -> None:
    leave(client, id_token_hint=hint)
    settle(app, client, account=person.account_id)
    assert is_question(leave(client, id_token_hint=hint, post_logout_redirect_uri=BYE))
    assert sessions(app) == [person.account_id]


def test_where_nobody_is_signed_in_and_no_hint_vouches_there_is_a_link_and_no_redirect(
    client: FlaskClient, service: Service
) -> None:
    page = leave(client, client_id="service", post_logout_redirect_uri=BYE)
    assert page.status_code == 200
    assert f'href="{BYE}"' in page.text
    assert 'id="logout-back"' in page.text


def test_a_yes_after_the_session_ended_by_itself_is_no_error(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    page = leave(client, client_id="service", post_logout_redirect_uri=BYE)
    later(app, minutes=20)
    client.delete_cookie("__Host-miftah_session")
    assert confirm(client, page).location == BYE


# By POST


def test_a_post_of_another_site_is_carried_on_sealed_and_its_id_token_in_no_address(
    app: Flask, client: FlaskClient, hint: str
) -> None:
    said = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "ui_locales": "ar"}
    elsewhere = app.test_client()  # SameSite: the cookies stay at home
    sent = elsewhere.post("/logout", data=said)
    assert sent.status_code == 303
    assert hint not in sent.location
    assert "Set-Cookie" not in sent.headers or "browser" not in sent.headers["Set-Cookie"]
    assert parse_qs(urlsplit(sent.location).query)["ui_locales"] == ["ar"]
    assert client.get(sent.location).location == BYE
    assert sessions(app) == []


def test_a_bare_post_asks_too(app: Flask, client: FlaskClient, person: Person) -> None:
    assert is_question(client.get(client.post("/logout").location))
    assert len(sessions(app)) == 1


def test_a_head_request_signs_nobody_out(app: Flask, client: FlaskClient, hint: str) -> None:
    assert client.head(f"/logout?{urlencode({'id_token_hint': hint})}").status_code == 200
    sealed = client.post("/logout", data={"id_token_hint": hint}).location
    assert client.head(sealed).status_code == 200
    assert len(sessions(app)) == 1


# Refused


def forged(app: Flask, hint: str, kind: str) -> str:
    house = app.extensions["broker"]
    claims = dict(jose.verify(hint, house.keyring).claims)
    if kind == "foreign":
        return jose.sign(claims | {"iss": "https://elsewhere.test"}, house.keyring, "ES256", NOON)
    if kind == "for two":
        return jose.sign(claims | {"aud": ["service", "b"]}, house.keyring, "ES256", NOON)
    if kind == "without sub":
        del claims["sub"]
        return jose.sign(claims, house.keyring, "ES256", NOON)
    if kind == "logout token":
        notice = Notice("n", "service", claims["sub"], claims["sid"], NOON, 1)
        told = logout_claims(notice, house, NOON)
        return jose.sign(told, house.keyring, "ES256", NOON, typ="logout+jwt")
    head, body, signature = hint.split(".")
    changed = {
        "mutated": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "unsigned": f"{head}.{body}.",
        "alg none": f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.",
        "garbage": "é",
        "long": "a" * 20_000,
    }
    return changed[kind]


@pytest.mark.parametrize(
    "kind",
    [
        *("mutated", "unsigned", "alg none", "garbage", "foreign", "for two", "without sub"),
        *("logout token", "long"),
    ],
)
def test_a_hint_that_is_no_id_token_of_ours_is_a_page_and_changes_nothing(
    app: Flask, client: FlaskClient, hint: str, kind: str
) -> None:
    said = {"id_token_hint": forged(app, hint, kind), "post_logout_redirect_uri": BYE}
    for page in (leave(client, **said), client.post("/logout", data=said)):
        assert page.status_code == 400
        assert "Location" not in page.headers
    assert len(sessions(app)) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"post_logout_redirect_uri": "https://evil.test/"}, "redirect_uri_unknown"),
        ({"post_logout_redirect_uri": f"{BYE}?x=1"}, "redirect_uri_unknown"),
        ({"post_logout_redirect_uri": f"{BYE}/"}, "redirect_uri_unknown"),
        ({"post_logout_redirect_uri": BYE.upper()}, "redirect_uri_unknown"),
        ({"post_logout_redirect_uri": f"{BYE}#f"}, "redirect_uri_unknown"),
        ({"post_logout_redirect_uri": "https://service.test/callback"}, "redirect_uri_unknown"),
        ({"post_logout_redirect_uri": "https://other.test/bye"}, "redirect_uri_unknown"),
        ({"id_token_hint": None}, "redirect_uri_unknown"),
        ({"client_id": "other"}, "logout_hint_rejected"),
        ({"client_id": "nobody", "id_token_hint": None}, "client_unknown"),
        ({"state": "a\x00b"}, "malformed"),
        ({"state": "s" * 2049}, "malformed"),
    ],
)
def test_what_was_not_registered_to_the_letter_is_a_page_and_nobody_is_sent_there(
    app: Flask, client: FlaskClient, hint: str, changed: dict[str, str | None], code: str
) -> None:
    other = Service("other", redirect_uri="https://other.test/callback")
    register(app, other, post_logout_redirect_uris=["https://other.test/bye"])
    ordinary: dict[str, str | None] = {
        "id_token_hint": hint,
        "post_logout_redirect_uri": BYE,
        "state": "s",
        "ui_locales": "en",
    }
    page = leave(client, **(ordinary | changed))
    assert page.status_code == 400
    assert "Location" not in page.headers
    assert "https://evil.test" not in page.text
    assert f'data-code="{code}"' in page.text
    assert len(sessions(app)) == 1


@pytest.mark.parametrize(
    "name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]
)
def test_a_parameter_sent_twice_is_refused(client: FlaskClient, person: Person, name: str) -> None:
    assert client.get(f"/logout?{name}=service&{name}=service").status_code == 400


def test_a_yes_from_another_sites_form_is_refused(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    fields = forms(leave(client).text)[0].fields
    fields["csrf_token"] = "0" * 64
    assert client.post("/logout/confirm", data=fields).status_code == 403
    assert len(sessions(app)) == 1


def test_a_sealed_request_opens_for_half_an_hour(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    page = leave(client, client_id="service", post_logout_redirect_uri=BYE)
    later(app, minutes=30)
    assert confirm(client, page).status_code == 400


@given(place=st.integers(min_value=0, max_value=200), bit=st.integers(0, 7))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_sealed_request_that_was_touched_does_not_open(
    app: Flask, client: FlaskClient, service: Service, place: int, bit: int
) -> None:
    sent = client.post("/logout", data={"client_id": "service", "state": "s" * 80})
    [text] = parse_qs(urlsplit(sent.location).query)["request"]
    at = place % len(text)
    other = chr(ord(text[at]) ^ (1 << bit))
    if other not in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        other = "A" if text[at] != "A" else "B"
    touched = text[:at] + other + text[at + 1 :]
    answer = client.get(f"/logout/request?{urlencode({'request': touched})}")
    # The last character may hold bits that say nothing: then it is the same parcel.
    assert answer.status_code == 400 or at >= len(text.rstrip("=")) - 1


NAMES = st.sampled_from(
    ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales"]
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["service", BYE, "https://evil.test/", "a.b.c", "e30.e30."]),
)


@given(said=st.lists(st.tuples(NAMES, VALUES), max_size=5), by_form=st.booleans())
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_logout_whatever_is_answered_with_5xx_or_sent_elsewhere(
    app: Flask, client: FlaskClient, service: Service, said: Any, by_form: bool
) -> None:
    query = urlencode([(k, v.encode("utf-8", "surrogatepass")) for k, v in said])
    if by_form:
        kind = "application/x-www-form-urlencoded"
        answer = client.post("/logout", data=query, content_type=kind)
    else:
        answer = client.get(f"/logout?{query}")
    assert answer.status_code < 500
    location = answer.headers.get("Location", "/logout/request?")
    assert location.startswith("/logout/request?") or location.split("?")[0] == BYE


# What is told of it


def test_discovery_names_the_door(client: FlaskClient) -> None:
    said = client.get("/.well-known/openid-configuration").get_json()
    assert said["end_session_endpoint"] == f"{ISSUER}/logout"
    assert said["backchannel_logout_supported"] is True
    assert said["backchannel_logout_session_supported"] is True
    assert "sid" in said["claims_supported"]


def test_a_client_that_wants_to_hear_is_told(app: Flask, client: FlaskClient, hint: str) -> None:
    leave(client, id_token_hint=hint)
    claims = jose.verify(hint, app.extensions["broker"].keyring).claims
    [notice] = notices(app)
    assert (notice.client_id, notice.subject, notice.sid) == (
        "service",
        claims["sub"],
        claims["sid"],
    )


def test_two_services_know_one_visit_by_two_names(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    other = register(
        app, Service("other", redirect_uri="https://service.test/callback?2"), sector="b"
    )
    agree(app, person, ("openid",), "other")
    keyring = app.extensions["broker"].keyring
    names = [
        jose.verify(s.tokens(client)["id_token"], keyring).claims["sid"] for s in (service, other)
    ]
    assert names[0] != names[1]
    again = jose.verify(service.tokens(client)["id_token"], keyring).claims["sid"]
    assert again == names[0]
