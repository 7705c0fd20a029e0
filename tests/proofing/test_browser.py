"""The page on which a person says whether a name was read rightly, in real Chromium."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page

from broker import clock, entropy
from broker.accounts import session, store
from broker.app import create_app
from broker.db import db, transaction
from broker.settings import Settings
from broker.verifiers.mrz import MrzVerifier
from broker.verifiers.mrz.answer import Answer
from broker.web import cookies
from broker.web.tools import Tools
from tests.browsing import ARTEFACTS, serve
from tests.verifiers.mrz.writer import Document, Holder, td3

pytestmark = pytest.mark.browser

LOOKS = (("fr", 390, "light"), ("ar", 390, "light"), ("fr", 320, "light"), ("ar", 320, "dark"))
HOLDER = Holder("BENJELLOUN TOUIMI", "FATIMA ZAHRA", "MAR", "910304", "F")
LINES = td3(HOLDER, Document("P", "MAR", "AB1234567", "310228", optional="BK654321"))
VAGUE = {11: 900, 28: 950}
"""Places of the first line, and how sure they are of a thousand: an L, and the M of FATIMA."""


@pytest.fixture
def broker(tools: Tools, tmp_path: Path, secrets: list[str]) -> Iterator[str]:
    apps: list[Flask] = []
    sure = tuple(
        tuple(VAGUE.get(at, 1000) if line else 1000 for at in range(44)) for line in (1, 0)
    )
    verifier = MrzVerifier(lambda _: Answer((LINES,), sure=(sure,)))

    def build(origin: str) -> Flask:
        settings = Settings(issuer=origin, database_url=f"sqlite:///{tmp_path}/broker.sqlite3")
        house = replace(
            tools, settings=settings, clock=clock.utcnow, random=entropy.system,
            verifiers=(verifier,),
        )  # fmt: skip
        apps.append(create_app(house))
        with apps[0].test_request_context("/"):
            db.create_all()
            with transaction() as tx:
                now = clock.utcnow()
                account = store.create(tx, house.keyring.wrapping, now, entropy.system)
                secrets.append(session.begin(tx, account, "passkey_synced", now, entropy.system))
        return apps[0]

    with serve(build) as origin:
        yield origin
    with apps[0].app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def secrets() -> list[str]:
    return []


def read(
    chromium: Browser, broker: str, secret: str, look: tuple[str, int, str], *, script: bool = True
) -> Page:
    """The page that asks whether it is right, on a telephone."""
    language, width, scheme = look
    context = chromium.new_context(
        viewport={"width": width, "height": 780},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    context.add_cookies([{"name": cookies.SESSION, "value": secret, "url": broker}])
    page = context.new_page()
    page.goto(f"{broker}/prove/account/mrz?ui_locales={language}")
    passport = {"name": "passport.jpg", "mimeType": "image/jpeg", "buffer": b"a picture"}
    page.set_input_files("input[name=photograph]", passport)  # type: ignore[arg-type]  # a TypedDict
    page.locator("main form button").first.click()
    page.wait_for_url("**/review/*")
    return page


def test_letters_in_doubt_are_seen_and_told_without_colour(
    chromium: Browser, broker: str, secrets: list[str]
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    for look in LOOKS:
        page = read(chromium, broker, secrets[0], look)
        name = f"letters-in-doubt-{look[0]}-{look[1]}"
        page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)
        assert page.locator("mark").all_inner_texts() == ["L", "M"]
        for mark in page.locator("mark").all():
            line = mark.evaluate("mark => getComputedStyle(mark).textDecorationLine")
            assert line == "underline"
        assert page.locator("bdi", has_text="BENJELLOUN").inner_text() == "BENJELLOUN TOUIMI"
        named = page.locator("dd strong").all_inner_texts()
        assert ["7" in named[0], "5" in named[1]] == [True, True]
        found = Axe().run(page)
        assert found.violations_count == 0, f"{look} {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= look[1], look
        page.context.close()


def test_whoever_finds_a_wrong_letter_takes_another_picture_without_a_script(
    chromium: Browser, broker: str, secrets: list[str]
) -> None:
    page = read(chromium, broker, secrets[0], LOOKS[0], script=False)
    assert page.locator("mark").all_inner_texts() == ["L", "M"]
    page.locator("button[value=again]").click()
    page.wait_for_url("**/prove/account/mrz")
    assert page.locator("input[type=file]").count() == 2
    page.context.close()
