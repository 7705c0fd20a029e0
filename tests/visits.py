"""Visits for tests: a signed-in person in a browser, sent by a relying service that asks."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from broker.accounts import session, store
from broker.audit.entry import read_leaf
from broker.audit.models import AuditEntry
from broker.db import reading, transaction
from broker.feature import Asked, SignedIn
from broker.interaction.models import Interaction
from broker.web import cookies
from tests.conftest import ISSUER, NOON
from tests.recording import sequenced

_handles = count(1)


@dataclass
class Visit:
    """One browser, whose cookies are known; `account` is who is signed in there."""

    app: Flask
    client: FlaskClient
    browser: str
    account: str = ""
    signed_in: SignedIn | None = field(default=None)

    def get(self, path: str, **said: Any) -> TestResponse:
        return self.client.get(path, base_url=ISSUER, **said)

    def post(self, path: str, **fields: Any) -> TestResponse:
        """The form with these fields, sent from a page of ours."""
        key = self.app.extensions["broker"].keyring.browser
        token = hmac.new(key, b"form:" + self.browser.encode(), hashlib.sha256).hexdigest()
        return self.client.post(path, data={"csrf_token": token, **fields}, base_url=ISSUER)


def come(app: Flask, browser: str = "b" * 43) -> Visit:
    """A browser in which nobody is signed in."""
    client = app.test_client()
    client.set_cookie("__Host-miftah_browser", browser, domain="broker.test", secure=True)
    return Visit(app, client, browser)


def sign_in(visit: Visit, account: str = "", now: datetime = NOON) -> Visit:
    """The same browser, with a person signed in: a new one, or the one named."""
    house = visit.app.extensions["broker"]
    with visit.app.test_request_context(base_url=ISSUER), transaction() as tx:
        account = account or store.create(tx, house.keyring.wrapping, now, house.random)
        secret = session.begin(tx, account, "passkey_synced", now, house.random)
        tx.flush()
        signed_in = session.find(tx, secret, now, house.settings.authentication)
    visit.client.set_cookie("__Host-miftah_session", secret, domain="broker.test", secure=True)
    return replace(visit, account=account, signed_in=signed_in)


def ask(
    visit: Visit,
    scope: str = "openid profile",
    acr_values: str = "",
    prompt: str = "",
    began: datetime = NOON,
    client_id: str = "taxes",
) -> str:
    """The handle of a parked request, as the relying service `client_id` would make it."""
    handle = f"visit{next(_handles)}".ljust(43, "-")
    asked = {
        "client_id": client_id,
        "client_name": {"fr": "Impôts <b>", "ar": "الضرائب", "en": "Taxes"},
        "purpose": {"fr": "Déclarer l’impôt", "ar": "التصريح بالضريبة", "en": "File a tax return"},
        "redirect_origin": "https://taxes.test",
        "scope": scope.split(),
        "prompt": prompt.split(),
        "acr_values": [f"{ISSUER}/acr/{name}" for name in acr_values.split()],
        "max_age": None,
    }
    settings = visit.app.extensions["broker"].settings.oidc
    row = Interaction(
        handle=handle,
        browser=cookies.digest(visit.browser),
        asked=asked,
        request={},
        began=began,
        expires=began + settings.interaction_lifetime,
    )
    with visit.app.app_context(), transaction() as tx:
        tx.add(row)
    return handle


def asked(
    visit: Visit, scope: str = "openid profile", acr_values: str = "", prompt: str = "", **rest: Any
) -> Asked:
    """What a step is told of such a request."""
    made = Asked(
        client_id="taxes",
        client_name={"en": "Taxes"},
        purpose={},
        redirect_origin="https://taxes.test",
        scope=frozenset(scope.split()),
        prompt=frozenset(prompt.split()),
        acr_values=tuple(f"{ISSUER}/acr/{name}" for name in acr_values.split()),
        max_age=None,
        began=NOON,
        interaction="i1",
        signed_in=visit.signed_in,
    )
    return replace(made, **rest)


def events(app: Flask) -> list[str]:
    """What the record holds, oldest first."""
    return [entry["event"] for entry in entries(app)]


def entries(app: Flask) -> list[Mapping[str, Any]]:
    """Every entry of the record, oldest first."""
    sequenced(app)
    with app.app_context(), reading() as tx:
        leaves = tx.scalars(select(AuditEntry.leaf).order_by(AuditEntry.idx)).all()
    return [read_leaf(leaf) for leaf in leaves]
