"""The broker and the demonstration as they are served, and a real browser with a security key."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from broker import clock, entropy
from broker.app import create_app
from broker.db import db
from broker.demo.app import create_app as create_demo
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import Keyring
from broker.settings import ProofingSettings, Settings
from broker.setup import alembic_config
from broker.web.tools import Tools

ARTEFACTS = Path(__file__).parent.parent.parent / "artefacts"

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class Town:
    """Where everything is served: the broker's and the demonstration's origins."""

    broker: str
    demo: str
    app: Flask


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(app: Flask, port: int) -> Iterator[str]:
    server = make_server("localhost", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def client_of(app: Flask, *args: str) -> tuple[str, str]:
    """Identifier and secret of a client registered by the operator's command."""
    told = app.test_cli_runner().invoke(args=["client", "register", *args])
    assert told.exit_code == 0, told.output
    words = dict(line.split(" ", 1) for line in told.output.splitlines())
    return words["client_id"], words["client_secret"]


@pytest.fixture
def town(tmp_path: Path, keyring: Keyring) -> Iterator[Town]:
    ports = free_port(), free_port()
    url = f"sqlite:///{tmp_path}/broker.sqlite3"
    command.upgrade(alembic_config(url), "head")
    settings = Settings(
        issuer=f"http://localhost:{ports[0]}",
        database_url=url,
        proofing=ProofingSettings(accept_specimens=True),
    )
    app = create_app(Tools(settings, clock.utcnow, entropy.system, keyring, read_policy(SHIPPED)))
    client_id, secret = client_of(
        app,
        *("--name", "fr=Télédéclaration — démonstration"),
        *("--name", "ar=التصريح عن بُعد — عرض تجريبي"),
        *("--name", "en=Online declaration — demonstration"),
        *("--purpose", "fr=Savoir qui dépose les déclarations de salaires d’une entreprise."),
        *("--purpose", "ar=معرفة من يودع تصريحات أجور المقاولة."),
        *("--purpose", "en=To know who files a company’s wage declarations."),
        *("--redirect-uri", f"http://localhost:{ports[1]}/callback"),
        *("--scope", "openid profile assurance"),
    )
    with served(app, ports[0]) as broker:
        demo = create_demo(
            {
                "DEMO_ISSUER": broker,
                "DEMO_CLIENT_ID": client_id,
                "DEMO_CLIENT_SECRET": secret,
                "DEMO_COOKIE_KEY": os.urandom(16).hex(),
            }
        )
        with served(demo, ports[1]) as there:
            yield Town(broker, there, app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


def with_key(page: Page) -> Any:
    """Give the page's browser a security key; returns the session that controls it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable", {"enableUI": False})
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return devtools
