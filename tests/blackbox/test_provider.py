"""Fifty things that toy providers get wrong, asked over HTTP of any provider."""

import base64
import hashlib
import json
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.blackbox.conftest import Provider
from tests.blackbox.party import Party, back, error_at_redirect

pytestmark = pytest.mark.slow


def test_metadata_names_the_issuer_exactly_and_https_or_local(provider: Provider) -> None:
    assert provider.metadata["issuer"] == provider.issuer
    assert "code" in provider.metadata["response_types_supported"]
    assert provider.metadata["code_challenge_methods_supported"] == ["S256"]
    assert "none" not in provider.metadata["id_token_signing_alg_values_supported"]


def test_keys_are_public_and_named(provider: Provider) -> None:
    for key in requests.get(provider.metadata["jwks_uri"], timeout=10).json()["keys"]:
        assert key["kid"]
        assert not {"d", "p", "q", "k"} & set(key)


def test_the_whole_flow_ends_in_a_verified_id_token(party: Party) -> None:
    tokens = party.tokens()
    claims = party.claims(tokens)
    assert claims["iss"] == party.provider.issuer
    assert claims["aud"] in (party.client.id, [party.client.id])
    assert claims["nonce"] == "nonce-1"
    assert abs(claims["iat"] - time.time()) < 30
    assert claims["exp"] > claims["iat"]


def test_at_hash_is_right_where_it_is_given(party: Party) -> None:
    tokens = party.tokens()
    claims = party.claims(tokens)
    if "at_hash" in claims:
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_state_comes_back_byte_for_byte(party: Party) -> None:
    for state in ("é&=+ %20", "مرحبا", "x" * 1500):
        assert party.answer(state=state)["state"] == state


def test_iss_is_in_success_and_in_error(party: Party) -> None:
    assert party.answer()["iss"] == party.provider.issuer
    response = party.at_once(prompt="none login")
    assert back(party.client, response.headers["Location"])["iss"] == party.provider.issuer


@pytest.mark.parametrize(
    "mutate",
    [
        lambda u: u + "/",
        lambda u: u + "?x=1",
        lambda u: u + "#x",
        lambda u: u.replace("https", "http"),
        lambda u: u.replace(".test", ".evil"),
        lambda u: u.replace("://", "://evil@"),
        lambda u: u.upper(),
        lambda u: u[:-1],
    ],
)
def test_a_redirect_address_must_match_to_the_letter(party: Party, mutate: Any) -> None:
    response = party.at_once(redirect_uri=mutate(party.client.redirect_uri))
    assert 400 <= response.status_code < 500
    assert "Location" not in response.headers


def test_another_clients_address_is_refused(party: Party) -> None:
    response = party.at_once(redirect_uri=party.provider.clients[1].redirect_uri)
    assert 400 <= response.status_code < 500
    assert "Location" not in response.headers


def test_an_unknown_client_is_not_sent_anywhere(party: Party) -> None:
    response = party.at_once(client_id="nobody")
    assert 400 <= response.status_code < 500
    assert "Location" not in response.headers


def test_hostile_parameters_are_no_server_errors_and_are_escaped(party: Party) -> None:
    for hostile in ('"><script>alert(1)</script>', "\\", "%00", "\ud7ff", "' OR 1=1", "x" * 4000):
        for name in ("client_id", "redirect_uri", "scope", "response_type", "prompt"):
            response = party.at_once(**{name: hostile})
            assert response.status_code < 500, (name, hostile)
            assert "<script>alert" not in response.text
            assert "Traceback" not in response.text


def test_a_repeated_parameter_is_refused(party: Party) -> None:
    for name in ("nonce", "scope"):
        response = party.browser.get(
            f"{party.url()}&{name}=openid", allow_redirects=False, timeout=10
        )
        assert "code=" not in response.headers.get("Location", "")


def test_pkce_is_required_and_plain_is_not_offered(party: Party) -> None:
    assert error_at_redirect(party, code_challenge=None, code_challenge_method=None)
    assert error_at_redirect(party, code_challenge_method="plain")
    assert error_at_redirect(party, code_challenge="short")


def test_unknown_response_types_and_modes_are_refused(party: Party) -> None:
    assert error_at_redirect(party, response_type="code token id_token x")
    response = party.at_once(response_mode="carrier-pigeon")
    assert "code=" not in response.headers.get("Location", "")


def test_prompt_none_without_a_session_is_login_required(party: Party) -> None:
    assert error_at_redirect(party, prompt="none") == "login_required"


def test_prompt_none_with_a_session_is_answered_silently(party: Party) -> None:
    party.tokens()
    response = party.at_once(prompt="none")
    assert "code" in back(party.client, response.headers["Location"])


def test_prompt_none_stands_alone(party: Party) -> None:
    assert error_at_redirect(party, prompt="none login") == "invalid_request"


def test_prompt_login_shows_a_page_to_one_who_is_signed_in(party: Party) -> None:
    party.tokens()
    time.sleep(1.1)
    response = party.at_once(prompt="login")
    assert not response.headers.get("Location", "").startswith(party.client.redirect_uri)


def test_max_age_zero_shows_a_page_and_a_large_one_does_not(party: Party) -> None:
    party.tokens()
    time.sleep(1.1)
    old = party.at_once(max_age="0").headers.get("Location", "")
    assert not old.startswith(party.client.redirect_uri)
    assert "code" in back(party.client, party.at_once(max_age="10000").headers["Location"])


def test_auth_time_is_when_the_person_signed_in(party: Party) -> None:
    first = party.claims(party.tokens(max_age="10000"))
    time.sleep(1.1)
    second = party.claims(party.tokens(max_age="10000"))
    assert first["auth_time"] == second["auth_time"]
    assert second["iat"] > second["auth_time"]


def test_a_request_object_is_never_ignored(party: Party) -> None:
    party.tokens()
    hostile = party.at_once(request="eyJhbGciOiJub25lIn0.e30.")
    assert "code=" not in hostile.headers.get("Location", "")


def test_request_uri_fetches_nothing(party: Party) -> None:
    party.tokens()
    trap = threading.Event()
    import http.server

    class Trap(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            trap.set()

    server = http.server.HTTPServer(("127.0.0.1", 0), Trap)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/request.jwt"
    assert "code=" not in party.at_once(request_uri=address).headers.get("Location", "")
    server.shutdown()
    server.server_close()
    assert not trap.is_set()


def test_post_to_the_authorization_endpoint_works(party: Party) -> None:
    endpoint = party.provider.metadata["authorization_endpoint"]
    form = {k: v[0] for k, v in parse_qs(urlsplit(party.url()).query).items()}
    response = party.browser.post(endpoint, data=form, allow_redirects=False, timeout=10)
    assert response.status_code in {200, 302, 303}


def test_head_mints_no_code(party: Party) -> None:
    party.tokens()
    response = party.browser.head(party.url(), allow_redirects=False, timeout=10)
    assert "code=" not in response.headers.get("Location", "")


def test_a_code_is_bound_to_client_address_and_verifier(party: Party) -> None:
    for changed in (
        {"redirect_uri": party.client.redirect_uri + "x"},
        {"code_verifier": "w" * 43},
        {"code_verifier": "short"},
    ):
        response = party.redeem(party.answer()["code"], **changed)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert party.redeem("nonsense").json()["error"] == "invalid_grant"
    thief = Party(party.provider, 1)
    response = thief.redeem(party.answer()["code"], redirect_uri=party.client.redirect_uri)
    assert response.json()["error"] == "invalid_grant"


def test_a_used_code_is_refused_and_what_it_bought_is_revoked(party: Party) -> None:
    code = party.answer()["code"]
    tokens = party.redeem(code).json()
    assert party.redeem(code).json()["error"] == "invalid_grant"
    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_of_fifty_redemptions_at_one_moment_one_succeeds(party: Party) -> None:
    code, statuses = party.answer()["code"], []
    gate = threading.Barrier(50)

    def run() -> None:
        gate.wait()
        statuses.append(party.redeem(code).status_code)

    threads = [threading.Thread(target=run) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [400] * 49


def test_a_wrong_secret_is_401_with_a_challenge(party: Party) -> None:
    form = {"grant_type": "authorization_code", "code": "x"}
    endpoint = party.provider.metadata["token_endpoint"]
    response = requests.post(endpoint, data=form, auth=(party.client.id, "wrong"), timeout=10)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert "WWW-Authenticate" in response.headers


@pytest.mark.parametrize("header", ["Basic", "Basic ????", "Basic /w==", "Digest a", "Basic Og=="])
def test_a_malformed_header_is_no_server_error(party: Party, header: str) -> None:
    endpoint = party.provider.metadata["token_endpoint"]
    form = {"grant_type": "authorization_code", "code": "x"}
    response = requests.post(endpoint, data=form, headers={"Authorization": header}, timeout=10)
    assert response.status_code in {400, 401}


def test_two_ways_of_authentication_at_once_are_refused(party: Party) -> None:
    form = {"client_id": party.client.id, "client_secret": party.client.secret}
    response = party.redeem(party.answer()["code"], **form)
    assert response.status_code in {400, 401}


def test_secrets_and_codes_in_the_query_are_not_looked_at(party: Party) -> None:
    code = party.answer()["code"]
    query = urlencode({"grant_type": "authorization_code", "code": code})
    endpoint = party.provider.metadata["token_endpoint"]
    response = requests.post(
        f"{endpoint}?{query}", auth=(party.client.id, party.client.secret), timeout=10
    )
    assert response.status_code == 400


def test_answers_with_tokens_are_not_cached(party: Party) -> None:
    response = party.redeem(party.answer()["code"])
    assert "no-store" in response.headers["Cache-Control"]
    assert "no-store" in party.redeem("nonsense").headers["Cache-Control"]


def test_an_unknown_grant_type_is_said_to_be_so(party: Party) -> None:
    assert party.token(grant_type="password").json()["error"] in {
        "unsupported_grant_type",
        "unauthorized_client",
    }


def test_userinfo_says_sub_and_no_nulls(party: Party) -> None:
    tokens = party.tokens()
    told = party.userinfo(tokens["access_token"]).json()
    assert told["sub"] == party.claims(tokens)["sub"]
    assert None not in told.values()


def test_userinfo_by_post_works_and_by_query_does_not(party: Party) -> None:
    token = party.tokens()["access_token"]
    endpoint = party.provider.metadata["userinfo_endpoint"]
    posted = requests.post(endpoint, data={"access_token": token}, timeout=10)
    assert posted.status_code == 200
    assert party.userinfo(token, params={"access_token": token}).status_code in {400, 401}


def test_userinfo_challenges(party: Party) -> None:
    bare = party.userinfo("", headers={})
    assert bare.status_code in {400, 401}
    assert bare.headers["WWW-Authenticate"].startswith("Bearer")
    wrong = party.userinfo("nonsense")
    assert wrong.status_code == 401
    assert "invalid_token" in wrong.headers["WWW-Authenticate"]


def test_an_id_token_is_no_access_token(party: Party) -> None:
    assert party.userinfo(party.tokens()["id_token"]).status_code == 401


def test_subjects_are_stable_for_one_client(party: Party) -> None:
    first, second = (party.claims(party.tokens())["sub"] for _ in range(2))
    assert first == second


def test_refresh_rotates_and_keeps_the_sign_in(party: Party) -> None:
    first = party.tokens(scope="openid offline_access", prompt="consent")
    if "refresh_token" not in first:
        pytest.skip("no refresh token is given")
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = party.token(**form).json()
    assert second["access_token"] != first["access_token"]
    before, after = (party.claims(t) for t in (first, second))
    assert before["sub"] == after["sub"]
    assert before.get("auth_time") == after.get("auth_time")


def test_a_refresh_never_widens_the_scope(party: Party) -> None:
    first = party.tokens(scope="openid offline_access", prompt="consent")
    if "refresh_token" not in first:
        pytest.skip("no refresh token is given")
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    response = party.token(**form, scope="openid profile")
    assert response.status_code == 400


def test_another_client_cannot_refresh(party: Party) -> None:
    first = party.tokens(scope="openid offline_access", prompt="consent")
    if "refresh_token" not in first:
        pytest.skip("no refresh token is given")
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert Party(party.provider, 1).token(**form).json()["error"] == "invalid_grant"


def test_discovery_and_keys_answer_other_origins_and_authorize_does_not(party: Party) -> None:
    origin = {"Origin": "https://app.test"}
    for url in (
        f"{party.provider.issuer}/.well-known/openid-configuration",
        party.provider.metadata["jwks_uri"],
    ):
        answer = requests.get(url, headers=origin, timeout=10)
        assert answer.headers["Access-Control-Allow-Origin"] in {"*", "https://app.test"}
        assert answer.headers.get("Access-Control-Allow-Credentials") != "true"
    response = party.browser.get(party.url(), headers=origin, allow_redirects=False, timeout=10)
    assert "Access-Control-Allow-Origin" not in response.headers


def test_pages_cannot_be_framed(party: Party) -> None:
    response = party.browser.get(party.url(), timeout=10)
    policy = response.headers.get("Content-Security-Policy", "")
    assert "frame-ancestors" in policy or response.headers.get("X-Frame-Options")


def test_cookies_are_not_for_scripts(party: Party) -> None:
    response = party.at_once()
    for cookie in response.raw.headers.getlist("Set-Cookie"):
        assert "httponly" in cookie.lower()
        assert "samesite" in cookie.lower()


def test_metadata_is_json(provider: Provider) -> None:
    assert json.dumps(provider.metadata)
