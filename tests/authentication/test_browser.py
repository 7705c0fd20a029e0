"""The pages in real Chromium, with a virtual authenticator."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    Playwright,
    expect,
)

from broker import clock, entropy
from broker.app import create_app
from broker.db import db
from broker.settings import Settings
from broker.web.tools import Tools
from tests.browsing import ARTEFACTS, CHROMIUM, FLAGS, follow, serve

pytestmark = pytest.mark.browser

KEY = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """A browser window with one key in it."""

    def __init__(self, context: BrowserContext, **key: Any) -> None:
        self.page: Page = context.new_page()
        self.wire: CDPSession = context.new_cdp_session(self.page)
        self.wire.send("WebAuthn.enable", {"enableUI": False})
        self.key = self.plug(**key)
        self.said: list[str] = []
        self.page.on("console", lambda told: self.said.append(told.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def plug(self, **key: Any) -> str:
        added = self.wire.send("WebAuthn.addVirtualAuthenticator", {"options": {**KEY, **key}})
        return str(added["authenticatorId"])

    def unplug(self) -> None:
        self.wire.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.key})

    def set(self, command: str, **value: Any) -> None:
        self.wire.send(f"WebAuthn.{command}", {"authenticatorId": self.key, **value})


@pytest.fixture
def issuer(tools: Tools, tmp_path: Path) -> Iterator[str]:
    """The address of a broker with the real time, served to this machine."""
    made: list[Flask] = []

    def build(origin: str) -> Flask:
        settings = Settings(issuer=origin, database_url=f"sqlite:///{tmp_path}/broker.sqlite3")
        real = replace(tools, settings=settings, clock=clock.utcnow, random=entropy.system)
        made.append(create_app(real))
        with made[0].app_context():
            db.create_all()
        return made[0]

    with serve(build) as origin:
        yield origin
    with made[0].app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="fr-MA")
    yield context
    context.close()


@pytest.fixture
def device(context: BrowserContext) -> Device:
    return Device(context)


def _create(device: Device, issuer: str, language: str = "fr") -> None:
    device.page.goto(f"{issuer}/enrol/account?ui_locales={language}")
    device.page.locator("form[data-ceremony] button").click()
    device.page.wait_for_url("**/enrol/account/second")


def _sign_out(context: BrowserContext) -> None:
    context.clear_cookies(name="miftah_session")


def _keep(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"authentication-{name}.png", full_page=True)


def _is_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def _is_narrow(page: Page) -> None:
    wide = page.viewport_size or {"width": 1280, "height": 720}
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size(wide)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_a_person_enrols_two_keys_signs_in_and_adds_none_twice(
    context: BrowserContext, device: Device, issuer: str, language: str
) -> None:
    page = device.page
    page.goto(f"{issuer}/sign-in/account?ui_locales={language}")
    _is_accessible(page)
    _is_narrow(page)
    _keep(page, f"sign-in-{language}")
    follow(page.locator('a[href="/enrol/account"]'))
    _is_accessible(page)
    _is_narrow(page)
    _keep(page, f"enrol-{language}")
    page.locator("form[data-ceremony] button").click()
    page.wait_for_url("**/enrol/account/second")
    _is_accessible(page)
    _is_narrow(page)
    _keep(page, f"second-{language}")

    page.locator("form[data-ceremony] button").click()  # the key that is enrolled already
    trouble = page.locator('[data-trouble="InvalidStateError"]')
    expect(trouble).to_be_visible()
    expect(trouble).to_be_focused()
    _is_accessible(page)
    _keep(page, f"known-{language}")

    device.unplug()
    device.key = device.plug(transport="usb")
    page.locator("form[data-ceremony] button").click()
    page.wait_for_url(f"{issuer}/account")
    _is_accessible(page)
    _is_narrow(page)
    _keep(page, f"account-{language}")
    assert page.locator('a[href^="/keys/"][href$="/removal"]').count() == 2

    follow(page.locator('a[href$="/name"]').first)
    _is_accessible(page)
    _keep(page, f"rename-{language}")
    page.go_back()
    follow(page.locator('a[href$="/removal"]').first)
    _is_accessible(page)
    _is_narrow(page)
    _keep(page, f"remove-{language}")
    page.locator("form button").click()
    page.wait_for_url(f"{issuer}/account")
    assert page.locator('a[href^="/keys/"][href$="/removal"]').count() == 0

    _sign_out(context)
    page.goto(f"{issuer}/sign-in/account")
    page.locator("form[data-ceremony] button").click()
    page.wait_for_url(f"{issuer}/account")
    page.goto(f"{issuer}/sign-in/account?again=1")
    _is_accessible(page)
    _keep(page, f"again-{language}")
    page.locator("form[data-ceremony] button").click()
    page.wait_for_url(f"{issuer}/account")
    assert device.said == []


def test_a_saved_key_signs_in_without_the_button(
    context: BrowserContext, device: Device, issuer: str
) -> None:
    # A virtual key inside the device answers a conditional request by itself.
    _create(device, issuer)
    _sign_out(context)
    device.page.goto(f"{issuer}/sign-in/account")
    device.page.wait_for_url(f"{issuer}/account")


def test_without_its_persons_verification_a_key_is_not_used(
    context: BrowserContext, device: Device, issuer: str
) -> None:
    _create(device, issuer)
    _sign_out(context)
    device.set("setUserVerified", isUserVerified=False)
    device.page.goto(f"{issuer}/sign-in/account?ui_locales=fr")
    device.page.locator("form[data-ceremony] button").click()
    expect(device.page.locator('[data-trouble="NotAllowedError"]')).to_be_visible()
    _keep(device.page, "cancelled-fr")


@pytest.mark.parametrize("lie", ["isBogusSignature", "isBadUV", "isBadUP"])
def test_a_lying_key_is_refused_by_the_server(
    context: BrowserContext, device: Device, issuer: str, lie: str
) -> None:
    _create(device, issuer)
    _sign_out(context)
    device.set("setResponseOverrideBits", **{lie: True})
    device.set("setAutomaticPresenceSimulation", enabled=True)
    device.page.goto(f"{issuer}/sign-in/account?ui_locales=fr")
    expect(device.page.locator("#error-title")).to_be_visible()


def test_a_cloned_key_is_refused(context: BrowserContext, device: Device, issuer: str) -> None:
    _create(device, issuer)
    stored = device.wire.send("WebAuthn.getCredentials", {"authenticatorId": device.key})
    (copy,) = stored["credentials"]
    _sign_out(context)
    device.page.goto(f"{issuer}/sign-in/account")
    device.page.wait_for_url(f"{issuer}/account")
    _sign_out(context)
    device.set("clearCredentials")
    device.set("addCredential", credential={**copy, "signCount": 1})
    device.page.goto(f"{issuer}/sign-in/account?ui_locales=fr")
    expect(device.page.locator("#error-title")).to_be_visible()
    _keep(device.page, "refused-fr")


def test_without_javascript_the_page_says_kindly_what_is_missing(
    playwright: Playwright, issuer: str
) -> None:
    # Playwright's own switch comes too late for <noscript>.
    flags = [*FLAGS, "--blink-settings=scriptEnabled=false"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{issuer}/sign-in/account?ui_locales=fr")
    _keep(page, "no-script-fr")
    assert "ont besoin de JavaScript" in page.locator("noscript").inner_text()
    browser.close()


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_lost_key_is_replaced_by_a_code_and_every_page_is_accessible(
    context: BrowserContext, device: Device, issuer: str, language: str
) -> None:
    page = device.page
    _create(device, issuer, language)
    follow(page.locator("a[href='/recovery-codes/account']"))
    _is_accessible(page)
    follow(page.locator("form[action='/recovery-codes/account'] button"))
    codes = page.locator("bdi.code").all_inner_texts()
    assert len(codes) == 10
    _is_accessible(page)
    _keep(page, f"codes-{language}")
    _sign_out(context)
    page.goto(f"{issuer}/recovery/account")
    _is_accessible(page)
    page.locator("#code").fill(codes[3].lower())
    page.locator("form[action='/recovery/account'] button").click()
    page.wait_for_url("**/enrol/account")
    _is_accessible(page)
    device.unplug()
    device.key = device.plug()
    page.locator("form[data-ceremony] button").click()
    page.wait_for_url(f"{issuer}/account")
    _is_accessible(page)
    _keep(page, f"recovered-{language}")
    assert device.said == []


SLOW_TO_REFUSE_MS = 1500

ASKED = """
const ask = navigator.credentials.get.bind(navigator.credentials);
window.asked = [];
PublicKeyCredential.getClientCapabilities = async () => ({ immediateGet: true });
navigator.credentials.get = async (request) => {
  window.asked.push(request.mediation ?? "ordinary");
  if (request.mediation === "conditional") return new Promise(() => {});
  if (request.mediation !== "immediate") return ask(request);
  await new Promise((done) => setTimeout(done, %d));
  throw new DOMException("nothing here", "NotAllowedError");
};
"""


def _asked_after(device: Device, issuer: str, refuses_after_ms: int) -> list[str]:
    """How the browser was asked after one press, but for the field that waits."""
    device.page.add_init_script(ASKED % refuses_after_ms)
    device.page.goto(f"{issuer}/sign-in/account")
    device.page.click("#ceremony-get")
    device.page.wait_for_timeout(refuses_after_ms + 100)
    told: list[str] = device.page.evaluate("window.asked")
    return [how for how in told if how != "conditional"]


def test_where_nothing_is_saved_one_press_goes_on_to_keys_that_are_plugged_in(
    context: BrowserContext, device: Device, issuer: str
) -> None:
    _create(device, issuer)
    _sign_out(context)
    device.page.add_init_script(ASKED % 0)
    device.page.goto(f"{issuer}/sign-in/account")
    device.page.click("#ceremony-get")
    device.page.wait_for_url(f"{issuer}/account")


def test_whoever_was_asked_for_a_saved_key_and_said_no_is_not_asked_again(
    context: BrowserContext, device: Device, issuer: str
) -> None:
    _create(device, issuer)
    _sign_out(context)
    assert _asked_after(device, issuer, SLOW_TO_REFUSE_MS) == ["immediate"]
    expect(device.page.locator('[data-trouble="NotAllowedError"]')).to_be_visible()
