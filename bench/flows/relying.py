"""The relying service: its requests, and the one flow that is verified before any is measured."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from bench.flows.contestant import CALLBACK, CLIENT_ID, BenchFailed, Served

ALGORITHMS = ["ES256", "RS256", "RS512", "EdDSA", "Ed25519"]


def challenge(verifier: str) -> str:
    """RFC 7636 §4.2."""
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def basic(client_id: str, secret: str) -> str:
    """RFC 6749 §2.3.1: both halves form-encoded."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def asked(**more: str) -> dict[str, str]:
    """The arguments of every authorization request of the bench."""
    return {
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "code_challenge_method": "S256",
    } | more


def authorization_url(metadata: Mapping[str, Any]) -> str:
    """A request for a person who is not yet signed in."""
    more = {
        "state": token_urlsafe(),
        "nonce": token_urlsafe(),
        "code_challenge": challenge("v" * 43),
    }
    return f"{metadata['authorization_endpoint']}?{urlencode(asked(**more))}"


@dataclass(frozen=True)
class Flow:
    """What one flow brought."""

    code: str
    verifier: str
    nonce: str
    tokens: dict[str, Any]


def flow(served: Served, cookie: str, scope: str = "openid") -> Flow:
    """One flow of the signed-in person of this browser. Raises BenchFailed."""
    state, nonce, verifier = token_urlsafe(), token_urlsafe(), token_urlsafe(48)
    more = {"state": state, "nonce": nonce, "code_challenge": challenge(verifier), "scope": scope}
    answer = requests.get(
        served.metadata["authorization_endpoint"],
        params=asked(**more),
        headers={"Cookie": cookie},
        allow_redirects=False,
        timeout=30,
    )
    location = answer.headers.get("Location", "")
    _hold(location.startswith(CALLBACK + "?"), f"/authorize: {answer.status_code} {location}")
    query = parse_qs(urlsplit(location).query)
    _hold(query.get("state") == [state] and "code" in query, f"state or code: {sorted(query)}")
    answer = redeem(served, query["code"][0], verifier)
    _hold(answer.ok, f"/token: {answer.status_code} {answer.text[:300]}")
    return Flow(query["code"][0], verifier, nonce, answer.json())


def redeem(served: Served, code: str, verifier: str) -> requests.Response:
    """The token endpoint's answer to the code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    headers = {"Authorization": basic(CLIENT_ID, served.secret)}
    return requests.post(served.metadata["token_endpoint"], data=form, headers=headers, timeout=30)


def userinfo(served: Served, done: Flow) -> dict[str, Any]:
    """What the flow's access token tells of the person. Raises BenchFailed."""
    bearer = {"Authorization": f"Bearer {done.tokens['access_token']}"}
    answer = requests.get(served.metadata["userinfo_endpoint"], headers=bearer, timeout=30)
    _hold(answer.ok, f"/userinfo: {answer.status_code} {answer.text[:300]}")
    told: dict[str, Any] = answer.json()
    return told


def verify(served: Served) -> None:
    """See everything hold that a service relies on. Raises BenchFailed.

    The last browser is used, which is not measured: a provider may revoke all of a grant when
    its code is tried twice.
    """
    done = flow(served, served.cookies[-1])
    keys = requests.get(served.metadata["jwks_uri"], timeout=30).json()
    claims = jwt.decode(done.tokens["id_token"], KeySet.import_key_set(keys), ALGORITHMS).claims
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    _hold(CLIENT_ID in audience, f"aud {audience}")
    _hold(claims["iss"] == served.metadata["issuer"], f"iss {claims['iss']}")
    _hold(claims["nonce"] == done.nonce, "nonce")
    _hold(userinfo(served, done)["sub"] == claims["sub"], "sub of userinfo")
    again = redeem(served, done.code, done.verifier)
    _hold(again.status_code in {400, 403}, f"a code was redeemed twice: {again.status_code}")


def _hold(holds: bool, hint: str) -> None:  # noqa: FBT001  the one argument is the verdict
    if not holds:
        raise BenchFailed(hint)
