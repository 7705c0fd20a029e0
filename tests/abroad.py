"""The broker with one foreign scheme, served to a browser; and the way abroad and back."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from flask import Flask
from playwright.sync_api import Page

from broker import clock, entropy
from broker.app import create_app
from broker.db import db
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import Keyring
from broker.outbound import Outbound
from broker.settings import Settings
from broker.web.tools import Tools
from tests.browsing import follow, serve
from tests.conftest import lay_migrated
from tests.journeys.conftest import Town
from tests.service import VERIFIER, Service, register
from tests.verifiers.eidas.schemes import LOA, NATURAL, rsa_key, written

SCHEME = f"""
enabled = true
protocol = "saml"
framework = "eidas"
countries = ["FR"]
identifier = "{NATURAL}/PersonIdentifier"
[name]
fr = "Identité d’essai"
ar = "هوية تجريبية"
en = "Trial identity"
[about]
fr = "Il vous faut votre identité d’essai."
ar = "تحتاجون إلى هويتكم التجريبية."
en = "You need your trial identity."
[claims]
family_name = "{NATURAL}/CurrentFamilyName"
given_name = "{NATURAL}/CurrentGivenName"
birthdate = "{NATURAL}/DateOfBirth"
[[levels]]
says = "{LOA}low"
means = "low"
evidence = "eidas_low"
told = "low"
[[levels]]
says = "{LOA}substantial"
means = "substantial"
evidence = "eidas_substantial"
told = "substantial"
[[levels]]
says = "{LOA}high"
means = "high"
evidence = "eidas_high"
told = "high"
[saml]
"""


@contextmanager
def town(
    folder: Path, keyring: Keyring, section: Callable[[str], str], scheme: str = SCHEME
) -> Iterator[Town]:
    """Everything served; `section` is given the broker's origin and writes the scheme's end."""
    url = f"sqlite:///{folder}/broker.sqlite3"
    lay_migrated(url)
    for name in ("keys", "schemes"):
        (folder / name).mkdir(exist_ok=True)
    written(folder / "keys/saml-signing.pem", rsa_key("ours-signing"))
    written(folder / "keys/saml-encryption.pem", rsa_key("ours"))
    made: list[Flask] = []

    def broker_at(origin: str) -> Flask:
        (folder / "schemes/xa.toml").write_text(scheme + section(origin))
        settings = Settings(
            issuer=origin,
            database_url=url,
            keys_dir=folder / "keys",
            schemes_dir=folder / "schemes",
        )
        policy = read_policy(SHIPPED)
        held = Tools(
            settings,
            clock.utcnow,
            entropy.system,
            lambda: keyring,
            policy,
            outbound=Outbound(local=True),
        )
        made.append(create_app(held))
        return made[0]

    with serve(broker_at) as broker:
        yield Town(broker, "", made[0])
    with made[0].app_context():
        db.session.remove()
        db.engine.dispose()


def wanted(framework: str) -> dict[str, Any]:
    """What the service wants to hear, in the words of the framework that vouches."""
    verification = {
        "trust_framework": {"value": framework},
        "assurance_level": None,
        "evidence": [{"type": {"value": "electronic_record"}, "record": {"type": None}}],
    }
    claims = {"family_name": None, "given_name": None, "birthdate": None}
    return {"id_token": {"verified_claims": {"verification": verification, "claims": claims}}}


def leave(page: Page, town: Town, framework: str = "eidas") -> Service:
    """From a service that asks for level “verified” to the page of doors, with a new passkey."""
    service = register(town.app)
    asked = service.arguments(
        scope="openid profile",
        acr_values=f"{town.broker}/acr/verified-phr",
        claims=json.dumps(wanted(framework)),
    )
    page.goto(f"{town.broker}/authorize?{urlencode(asked)}")
    follow(page.locator("main a[href^='/enrol/']").first)
    page.locator("main form button").first.click()
    page.wait_for_url("**/second*")
    page.locator("main a[href^='/authorize/']").first.click()
    page.wait_for_url("**/prove/**")
    return service


def choose_country(page: Page) -> None:
    """The one scheme that there is."""
    if "/countries" not in page.url:
        follow(page.locator("a[href*='/countries']").first)
    page.wait_for_url("**/countries*")
    page.locator("a.door").first.click()


def confirm(page: Page, town: Town, service: Service) -> dict[str, Any]:
    """From the page that shows what came back to the service: the claims of its ID token."""
    page.wait_for_url("**/review/*", timeout=20_000)
    page.locator("main form button").first.click()
    page.wait_for_url("**/consent/*")
    with page.expect_request("https://service.test/**") as request:
        page.locator("main form button").first.click()
    code = parse_qs(urlsplit(request.value.url).query)["code"][0]
    answer = requests.post(
        f"{town.broker}/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": service.redirect_uri,
            "code_verifier": VERIFIER,
        },
        headers=service.basic(),
        timeout=10,
    )
    body = answer.json()["id_token"].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return found
