"""What a provider says it can do besides the code flow, held to it; the rest is skipped.

RFC 7009, RFC 7662, RFC 9126, RFC 9449, Form Post Response Mode, RP-Initiated Logout.
"""

import base64
import hashlib
import threading
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from joserfc import jws
from joserfc.jwk import ECKey

from tests.blackbox.conftest import BYE, Provider
from tests.blackbox.party import Party, back
from tests.people import forms

pytestmark = pytest.mark.slow

OFFLINE = {"scope": "openid offline_access", "prompt": "consent"}


def needs(party: Party, endpoint: str) -> None:
    if endpoint not in party.provider.metadata:
        pytest.skip(f"no {endpoint}")


# Pushed requests (RFC 9126)


@pytest.fixture
def pushing(party: Party) -> Party:
    needs(party, PUSH)
    return party


PUSH = "pushed_authorization_request_endpoint"


def opened(party: Party, uri: str, **more: str) -> str:
    endpoint = party.provider.metadata["authorization_endpoint"]
    query = urlencode({"client_id": party.client.id, "request_uri": uri} | more)
    return f"{endpoint}?{query}"


def push(party: Party, **changed: str | None) -> str:
    pushed = party.at(PUSH, **party.arguments(**changed))
    assert pushed.status_code == 201, pushed.text
    return str(pushed.json()["request_uri"])


def test_a_pushed_request_is_created_and_not_cached(pushing: Party) -> None:
    pushed = pushing.at(PUSH, **pushing.arguments())
    assert pushed.status_code == 201
    assert "no-store" in pushed.headers["Cache-Control"]
    assert 0 < pushed.json()["expires_in"] <= 600


def test_a_pushed_request_ends_in_a_code(pushing: Party) -> None:
    url = opened(pushing, push(pushing))
    answer = back(pushing.client, pushing.provider.hook(pushing.browser, url))
    assert answer["state"] == "state-1"
    assert pushing.redeem(answer["code"]).status_code == 200


def test_what_stands_beside_a_pushed_request_does_not_change_it(pushing: Party) -> None:
    pushing.tokens()
    url = opened(pushing, push(pushing), state="beside", scope="openid profile")
    assert back(pushing.client, pushing.provider.hook(pushing.browser, url))["state"] == "state-1"


def test_a_pushed_request_is_answered_once(pushing: Party) -> None:
    url = opened(pushing, push(pushing))
    pushing.provider.hook(pushing.browser, url)
    again = pushing.browser.get(url, allow_redirects=False, timeout=10)
    assert "code=" not in again.headers.get("Location", "")


def test_a_pushed_request_is_its_clients_only(pushing: Party) -> None:
    pushing.tokens()
    uri = push(pushing)
    thief = Party(pushing.provider, 1)
    thief.browser = pushing.browser
    stolen = thief.browser.get(opened(thief, uri), allow_redirects=False, timeout=10)
    assert "code=" not in stolen.headers.get("Location", "")


def test_a_push_needs_the_clients_proof(pushing: Party) -> None:
    refused = requests.post(
        pushing.provider.metadata[PUSH],
        data=pushing.arguments(),
        auth=(pushing.client.id, "wrong"),
        timeout=10,
    )
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.test/"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"response_type": "x"},
        {"code_challenge_method": "plain"},
    ],
)
def test_what_would_be_refused_later_is_refused_at_the_push(
    pushing: Party, changed: dict[str, str]
) -> None:
    refused = pushing.at(PUSH, **pushing.arguments(**changed))
    assert refused.status_code == 400
    assert refused.json()["error"]


def test_an_invented_request_uri_is_refused(pushing: Party) -> None:
    url = opened(pushing, "urn:ietf:params:oauth:request_uri:invented")
    refused = pushing.browser.get(url, allow_redirects=False, timeout=10)
    assert "code=" not in refused.headers.get("Location", "")
    assert refused.status_code < 500


# Revocation (RFC 7009)


@pytest.fixture
def revoking(party: Party) -> Party:
    needs(party, "revocation_endpoint")
    return party


def revoke(party: Party, token: str, **more: str) -> requests.Response:
    return party.at("revocation_endpoint", token=token, **more)


def test_a_revoked_access_token_is_worthless(revoking: Party) -> None:
    token = revoking.tokens()["access_token"]
    assert revoke(revoking, token).status_code == 200
    assert revoking.userinfo(token).status_code == 401


def test_a_revoked_refresh_token_buys_nothing(revoking: Party) -> None:
    tokens = revoking.tokens(**OFFLINE)
    assert revoke(revoking, tokens["refresh_token"]).status_code == 200
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert revoking.token(**form).json()["error"] == "invalid_grant"
    assert revoking.userinfo(tokens["access_token"]).status_code == 401


def test_a_wrong_hint_does_not_save_a_token(revoking: Party) -> None:
    token = revoking.tokens()["access_token"]
    assert revoke(revoking, token, token_type_hint="refresh_token").status_code == 200
    assert revoking.userinfo(token).status_code == 401


def test_revoking_what_does_not_exist_is_no_error(revoking: Party) -> None:
    assert revoke(revoking, "nonsense").status_code == 200


def test_nobody_revokes_anothers_token(revoking: Party) -> None:
    token = revoking.tokens()["access_token"]
    assert revoke(Party(revoking.provider, 1), token).status_code < 500
    assert revoking.userinfo(token).status_code == 200


def test_revocation_needs_proof_and_a_token(revoking: Party) -> None:
    endpoint = revoking.provider.metadata["revocation_endpoint"]
    wrong = (revoking.client.id, "wrong")
    assert requests.post(endpoint, data={"token": "x"}, auth=wrong, timeout=10).status_code == 401
    assert revoking.at("revocation_endpoint").json()["error"] == "invalid_request"


# Introspection (RFC 7662)


@pytest.fixture
def asking(party: Party) -> Party:
    needs(party, "introspection_endpoint")
    return party


def about(party: Party, token: str) -> dict[str, Any]:
    told = party.at("introspection_endpoint", token=token)
    assert told.status_code == 200, told.text
    found: dict[str, Any] = told.json()
    return found


def test_a_good_token_is_active_and_says_whose_it_is(asking: Party) -> None:
    tokens = asking.tokens(**OFFLINE)
    for name in ("access_token", "refresh_token"):
        told = about(asking, tokens[name])
        assert told["active"] is True
        assert told["client_id"] == asking.client.id
        assert told["exp"] > asking.claims(tokens)["iat"]


def test_of_what_is_not_active_nothing_is_told(asking: Party) -> None:
    assert about(asking, "nonsense") == {"active": False}


def test_a_spent_code_family_is_not_active(asking: Party) -> None:
    code = asking.answer()["code"]
    token = asking.redeem(code).json()["access_token"]
    asking.redeem(code)
    assert about(asking, token) == {"active": False}


def test_introspection_needs_proof(asking: Party) -> None:
    endpoint = asking.provider.metadata["introspection_endpoint"]
    wrong = (asking.client.id, "wrong")
    assert requests.post(endpoint, data={"token": "x"}, auth=wrong, timeout=10).status_code == 401


# Proof of possession (RFC 9449)


class Key:
    """A DPoP key that follows every nonce it is given."""

    def __init__(self, party: Party) -> None:
        if "dpop_signing_alg_values_supported" not in party.provider.metadata:
            pytest.skip("no DPoP")
        self.party, self.key, self.nonce = party, ECKey.generate_key("P-256"), ""
        self.made = 0

    def proof(self, method: str, url: str, token: str = "", **changed: Any) -> str:
        self.made += 1
        at = requests.get(url, timeout=10).headers["Date"]
        from email.utils import parsedate_to_datetime

        claims: dict[str, Any] = {
            "jti": f"{id(self)}-{self.made}",
            "htm": method,
            "htu": url,
            "iat": int(parsedate_to_datetime(at).timestamp()),
        }
        if token:
            hashed = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        if self.nonce:
            claims["nonce"] = self.nonce
        import json

        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": self.key.as_dict(private=False)}
        return jws.serialize_compact(header, json.dumps(claims | changed), self.key)

    def tokens(self) -> dict[str, Any]:
        response = self.redeem()
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def redeem(self, proof: str = "", **changed: Any) -> requests.Response:
        party = self.party
        endpoint = party.provider.metadata["token_endpoint"]
        form = {
            "grant_type": "authorization_code",
            "code": party.answer()["code"],
            "redirect_uri": party.client.redirect_uri,
            "code_verifier": "verifier-" + "v" * 40,
        }
        sent = party.basic | {"DPoP": proof or self.proof("POST", endpoint, **changed)}
        return requests.post(endpoint, data=form, headers=sent, timeout=10)

    def at_userinfo(self, token: str, proof: str = "", **changed: Any) -> requests.Response:
        endpoint = self.party.provider.metadata["userinfo_endpoint"]
        proof = proof or self.proof("GET", endpoint, token, **changed)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        return self.party.userinfo("", headers=headers)


@pytest.fixture
def key(party: Party) -> Key:
    return Key(party)


def test_a_bound_token_is_of_type_dpop_and_answers_its_holder(key: Key) -> None:
    tokens = key.tokens()
    assert tokens["token_type"] == "DPoP"
    assert key.at_userinfo(tokens["access_token"]).status_code == 200


def test_a_bound_token_is_worthless_to_others(key: Key, party: Party) -> None:
    token = key.tokens()["access_token"]
    assert party.userinfo(token).status_code == 401
    assert Key(party).at_userinfo(token).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"htm": "PUT"},
        {"htu": "https://elsewhere.test/token"},
        {"iat": 1},
        {"jti": None},
        {"nonce": "invented"},
    ],
    ids=str,
)
def test_an_unsound_proof_buys_nothing(key: Key, changed: dict[str, Any]) -> None:
    refused = key.redeem(**changed)
    assert refused.status_code in {400, 401}
    assert refused.json()["error"] in {"invalid_dpop_proof", "use_dpop_nonce"}


def test_a_proof_is_good_once(key: Key) -> None:
    endpoint = key.party.provider.metadata["token_endpoint"]
    proof = key.proof("POST", endpoint)
    statuses = [key.redeem(proof).status_code for _ in range(2)]
    assert statuses == [200, 400]


def test_a_proof_without_the_hash_of_the_token_opens_nothing(key: Key) -> None:
    token = key.tokens()["access_token"]
    assert key.at_userinfo(token, ath="x").status_code == 401


# Refresh


def test_a_spent_refresh_token_ends_its_family(party: Party) -> None:
    first = party.tokens(**OFFLINE)
    if "refresh_token" not in first:
        pytest.skip("no refresh token is given")

    def refresh(token: str) -> requests.Response:
        return party.token(grant_type="refresh_token", refresh_token=token)

    second = refresh(first["refresh_token"]).json()
    if second["refresh_token"] == first["refresh_token"]:
        pytest.skip("refresh tokens are not rotated")
    third = refresh(second["refresh_token"]).json()
    assert refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(third["refresh_token"]).json()["error"] == "invalid_grant"
    assert party.userinfo(third["access_token"]).status_code == 401


# Answers by form


def test_an_answer_by_form_stands_in_a_page_and_in_no_address(party: Party) -> None:
    if "form_post" not in party.provider.metadata.get("response_modes_supported", ()):
        pytest.skip("no form_post")
    party.tokens()
    hostile = '"><script>alert(1)</script>'
    page = party.at_once(response_mode="form_post", state=hostile)
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    assert "<script>alert" not in page.text
    form = forms(page.text)[0]
    assert form.action == party.client.redirect_uri
    assert form.fields["state"] == hostile
    assert party.redeem(form.fields["code"]).status_code == 200


# Signing out


@pytest.fixture
def leaving(party: Party) -> Party:
    needs(party, "end_session_endpoint")
    return party


def leave(party: Party, **asked: str) -> requests.Response:
    endpoint = party.provider.metadata["end_session_endpoint"]
    return party.browser.get(endpoint, params=asked, allow_redirects=False, timeout=10)


def test_an_address_that_is_not_registered_is_not_redirected_to(leaving: Party) -> None:
    token = leaving.tokens()["id_token"]
    for wrong in ("https://evil.test/", f"{BYE}/", f"{BYE}?x=1", BYE.upper()):
        refused = leave(leaving, id_token_hint=token, post_logout_redirect_uri=wrong)
        assert refused.status_code == 400
        assert "Location" not in refused.headers
    assert "code" in back(leaving.client, leaving.at_once(prompt="none").headers["Location"])


def test_without_a_hint_a_person_is_asked_first(leaving: Party) -> None:
    leaving.tokens()
    page = leave(leaving)
    assert page.status_code == 200
    assert "code" in back(leaving.client, leaving.at_once(prompt="none").headers["Location"])


def test_a_hint_that_we_did_not_sign_is_refused(leaving: Party) -> None:
    header, payload, _ = leaving.tokens()["id_token"].split(".")
    forged = f"{header}.{payload}.{'A' * 86}"
    refused = leave(leaving, id_token_hint=forged, post_logout_redirect_uri=BYE)
    assert refused.status_code == 400
    assert "Location" not in refused.headers


def test_a_sign_out_ends_at_the_registered_address_with_its_state(leaving: Party) -> None:
    token = leaving.tokens()["id_token"]
    asked = {"id_token_hint": token, "post_logout_redirect_uri": BYE, "state": "é&=+"}
    endpoint = leaving.provider.metadata["end_session_endpoint"]
    target = leaving.provider.hook(leaving.browser, f"{endpoint}?{urlencode(asked)}")
    assert target.split("?")[0] == BYE
    assert target.endswith(urlencode({"state": "é&=+"}))


# Races


def test_of_fifty_openings_of_a_pushed_request_at_one_moment_one_gets_a_code(
    pushing: Party,
) -> None:
    pushing.tokens()
    url, got = opened(pushing, push(pushing)), Counter[bool]()
    gate = threading.Barrier(50)

    def run() -> None:
        gate.wait()
        jar = pushing.browser.cookies
        answer = requests.get(url, cookies=jar, allow_redirects=False, timeout=30)
        got["code=" in answer.headers.get("Location", "")] += 1

    threads = [threading.Thread(target=run) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got[True] == 1


# Doors


@pytest.mark.parametrize(
    "endpoint", ["token_endpoint", "revocation_endpoint", "introspection_endpoint", PUSH]
)
def test_a_machines_door_answers_no_get(provider: Provider, endpoint: str) -> None:
    if endpoint not in provider.metadata:
        pytest.skip(f"no {endpoint}")
    assert requests.get(provider.metadata[endpoint], timeout=10).status_code in {400, 404, 405}
