"""A relying party by hand, in one browser, that knows a provider by its metadata only."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.blackbox.conftest import Client, Provider

VERIFIER = "verifier-" + "v" * 40


def challenge(verifier: str = VERIFIER) -> str:
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


class Party:
    """A relying party by hand, in one browser."""

    def __init__(self, provider: Provider, which: int = 0) -> None:
        self.provider = provider
        self.client: Client = provider.clients[which]
        self.browser = provider.new_browser()

    def arguments(self, **changed: str | None) -> dict[str, str]:
        ordinary: dict[str, str | None] = {
            "client_id": self.client.id,
            "redirect_uri": self.client.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        return {k: v for k, v in (ordinary | changed).items() if v is not None}

    def url(self, **changed: str | None) -> str:
        endpoint = self.provider.metadata["authorization_endpoint"]
        return f"{endpoint}?{urlencode(self.arguments(**changed))}"

    def answer(self, **changed: str | None) -> dict[str, str]:
        """The answer at the redirect address after whatever a person must do."""
        return back(self.client, self.provider.hook(self.browser, self.url(**changed)))

    def at_once(self, **changed: str | None) -> requests.Response:
        """The first answer, nothing done by a person."""
        return self.browser.get(self.url(**changed), allow_redirects=False, timeout=10)

    def redeem(self, code: str, **changed: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return self.token(**(form | changed))

    @property
    def basic(self) -> dict[str, str]:
        pair = f"{quote(self.client.id, '')}:{quote(self.client.secret, '')}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def token(self, **form: str) -> requests.Response:
        return self.at("token_endpoint", **form)

    def tokens(self, **changed: str | None) -> dict[str, Any]:
        response = self.redeem(self.answer(**changed)["code"])
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def claims(self, tokens: dict[str, Any]) -> dict[str, Any]:
        keys = requests.get(self.provider.metadata["jwks_uri"], timeout=10).json()
        algorithms = ["ES256", "RS256", "PS256", "EdDSA"]
        token = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=algorithms)
        return dict(token.claims)

    def at(self, endpoint: str, **form: str) -> requests.Response:
        """The answer to a form that this client sends, proved by its secret."""
        return requests.post(
            self.provider.metadata[endpoint], data=form, headers=self.basic, timeout=10
        )

    def userinfo(self, token: str, **how: Any) -> requests.Response:
        endpoint = self.provider.metadata["userinfo_endpoint"]
        how = how or {"headers": {"Authorization": f"Bearer {token}"}}
        return requests.get(endpoint, timeout=10, **how)


def back(client: Client, location: str) -> dict[str, str]:
    assert location.startswith(client.redirect_uri), location
    return {k: v[0] for k, v in parse_qs(urlsplit(location).query).items()}


def error_at_redirect(party: Party, **changed: str | None) -> str:
    response = party.at_once(**changed)
    return back(party.client, response.headers.get("Location", ""))["error"]
