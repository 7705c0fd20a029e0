"""The broker and the demonstration as they are served, and a security key for the browser."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from broker import clock, entropy
from broker.app import create_app
from broker.db import db
from broker.demo.app import create_app as create_demo
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import Keyring
from broker.settings import ProofingSettings, Settings
from broker.web.tools import Tools
from tests.browsing import serve
from tests.conftest import lay_migrated

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

DEMONSTRATION = (
    *("--name", "fr=Télédéclaration — démonstration"),
    *("--name", "ar=التصريح عن بُعد — عرض تجريبي"),
    *("--name", "en=Online declaration — demonstration"),
    *("--purpose", "fr=Savoir qui dépose les déclarations de salaires d’une entreprise."),
    *("--purpose", "ar=معرفة من يودع تصريحات أجور المقاولة."),
    *("--purpose", "en=To know who files a company’s wage declarations."),
    *("--scope", "openid profile assurance"),
)


@dataclass(frozen=True)
class Town:
    """Where everything is served: the broker's and the demonstration's origins."""

    broker: str
    demo: str
    app: Flask


def client_of(app: Flask, *args: str) -> tuple[str, str]:
    """Identifier and secret of a client registered by the operator's command."""
    told = app.test_cli_runner().invoke(args=["client", "register", *args])
    assert told.exit_code == 0, told.output
    words = dict(line.split(" ", 1) for line in told.output.splitlines())
    return words["client_id"], words["client_secret"]


@pytest.fixture
def town(tmp_path: Path, keyring: Keyring) -> Iterator[Town]:
    url = f"sqlite:///{tmp_path}/broker.sqlite3"
    lay_migrated(url)
    made: list[Flask] = []

    def broker_at(origin: str) -> Flask:
        specimens = ProofingSettings(accept_specimens=True)
        settings = Settings(issuer=origin, database_url=url, proofing=specimens)
        policy = read_policy(SHIPPED)
        made.append(
            create_app(Tools(settings, clock.utcnow, entropy.system, lambda: keyring, policy))
        )
        return made[0]

    with serve(broker_at) as broker:

        def demo_at(origin: str) -> Flask:
            back = ("--redirect-uri", f"{origin}/callback")
            client_id, secret = client_of(made[0], *DEMONSTRATION, *back)
            environ = {
                "DEMO_ISSUER": broker,
                "DEMO_CLIENT_ID": client_id,
                "DEMO_CLIENT_SECRET": secret,
                "DEMO_COOKIE_KEY": os.urandom(16).hex(),
            }
            return create_demo(environ)

        with serve(demo_at) as demo:
            yield Town(broker, demo, made[0])
    with made[0].app_context():
        db.session.remove()
        db.engine.dispose()


def with_key(page: Page) -> Any:
    """Give the page's browser a security key; returns the session that controls it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable", {"enableUI": False})
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return devtools
