"""A relying service of the tests' own: registered, speaking the protocol by hand."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from broker.accounts import session as sessions
from broker.accounts import store as accounts
from broker.consent import store as consents
from broker.db import transaction
from broker.feature import Asked, SignedIn
from broker.oidc.client_metadata import ClientMetadata
from broker.oidc.models import ClientRow
from broker.oidc.store import digest
from broker.web import cookies

VERIFIER = "v" * 43
CALLBACK = "https://service.test/callback"
SECRET = "a secret of the service: 100% é+"


def challenge(verifier: str = VERIFIER) -> str:
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


@dataclass(frozen=True)
class Service:
    """What a relying service knows about itself."""

    client_id: str = "service"
    secret: str = SECRET
    redirect_uri: str = CALLBACK

    def arguments(self, **changed: str | None) -> dict[str, str]:
        """The arguments of an ordinary authorization request; None removes one."""
        ordinary: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": "é&state=1",
            "nonce": "n-1",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        return {k: v for k, v in (ordinary | changed).items() if v is not None}

    def ask(self, client: FlaskClient, **changed: str | None) -> TestResponse:
        return client.get(f"/authorize?{urlencode(self.arguments(**changed))}")

    def code(self, client: FlaskClient, **changed: str | None) -> str:
        return answer(self.ask(client, **changed))["code"]

    def redeem(
        self,
        client: FlaskClient,
        code: str,
        *,
        headers: Mapping[str, str] | None = None,
        changed: Mapping[str, str] | None = None,
    ) -> TestResponse:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return client.post(
            "/token", data=form | dict(changed or {}), headers=headers or self.basic()
        )

    def basic(self) -> dict[str, str]:
        pair = f"{urlencode({'': self.client_id})[1:]}:{urlencode({'': self.secret})[1:]}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def tokens(self, client: FlaskClient, **changed: str | None) -> dict[str, Any]:
        response = self.redeem(client, self.code(client, **changed))
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.get_json()
        return found


def register(app: Flask, service: Service | None = None, **changed: Any) -> Service:
    """Register the service with every scope and grant type, unless changed."""
    service = service or Service()
    secret = changed.pop("secret", digest(service.secret))
    metadata: dict[str, Any] = {
        "client_name": {"fr": "Service d’essai", "ar": "خدمة تجريبية", "en": "Test service"},
        "purpose": {"fr": "Essayer.", "ar": "التجربة.", "en": "To try."},
        "redirect_uris": [service.redirect_uri],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid profile document assurance offline_access audit:read",
        "sector": "service.test",
    }
    row = ClientRow(
        id=service.client_id,
        secret=secret,
        metadata_text=ClientMetadata.model_validate(metadata | changed).model_dump_json(),
        created=app.extensions["broker"].clock(),
    )
    with app.app_context(), transaction() as tx:
        tx.add(row)
    return service


def answer(response: TestResponse) -> dict[str, str]:
    """The query of the redirect back to the service."""
    assert response.status_code == 303, response.text
    assert response.location.startswith("https://service.test/callback"), response.location
    return {k: v[0] for k, v in parse_qs(urlsplit(response.location).query).items()}


def is_page_of_refusal(response: TestResponse) -> bool:
    """Whether the answer is a page that says no, and sends nobody anywhere."""
    return response.status_code == 400 and "Location" not in response.headers


@dataclass(frozen=True)
class Person:
    account_id: str
    session_secret: str


def settle(
    app: Flask,
    client: FlaskClient,
    *,
    agreed: tuple[str, ...] = (),
    service: str = "service",
    account: str = "",
) -> Person:
    """A person signed in in this test client, who has agreed to `agreed` for the service.

    A new one, unless `account` names them.
    """
    house = app.extensions["broker"]
    now: datetime = house.clock()
    with app.test_request_context():
        with transaction() as tx:
            account = account or accounts.create(tx, house.keyring.wrapping, now, house.random)
            secret = sessions.begin(tx, account, "passkey_synced", now, house.random)
            if agreed:
                consents.give(tx, _asked(account, service, frozenset(agreed), now), now)
        name = cookies.name_of(cookies.SESSION)
    client.set_cookie(name, secret)
    return Person(account, secret)


def agree(app: Flask, person: Person, scope: tuple[str, ...], service: str = "service") -> None:
    """The person agrees to more."""
    now = app.extensions["broker"].clock()
    with app.test_request_context(), transaction() as tx:
        consents.give(tx, _asked(person.account_id, service, frozenset(scope), now), now)


def _asked(account: str, service: str, scope: frozenset[str], now: datetime) -> Asked:
    nobody = Asked(service, {"en": "x"}, {}, "", scope, frozenset(), (), None, now)
    return replace(nobody, signed_in=SignedIn("", account, "passkey_synced", now))


def later(app: Flask, **by: int) -> None:
    """Move the application's clock."""
    app.extensions["broker"].clock.now += timedelta(**by)
