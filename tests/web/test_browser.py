"""The shell's pages in real Chromium: nothing overflows, everything can be read and touched."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize

from broker import entropy
from broker.accounts import session, store
from broker.app import create_app
from broker.db import db, transaction
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import Keyring
from broker.settings import Settings
from broker.web import cookies
from broker.web.tools import Tools
from tests.browsing import serve
from tests.conftest import NOON

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/policy",
    "/privacy",
    "/nowhere",
    "/account",
    "/account/erase",
    "/account/signed-out",
    "/problems/invalid_token",
)
LOOKS = (("ar", 320, "dark"), ("fr", 320, "light"), ("ar", 1280, "light"))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

MEASURE = """() => ({
  over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  small: [...document.querySelectorAll('.button, .masthead a, .colophon a, summary')]
    .filter(one => one.getBoundingClientRect().height < 44).map(one => one.textContent),
})"""

Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Seen:
    """What was seen of one page in one look."""

    page: str
    look: tuple[str, int, str]
    over: int
    small: list[str]
    violations: list[str]
    complaints: list[str]


@pytest.fixture(scope="module")
def seen(
    keyring: Keyring, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> list[Seen]:
    """Every page in every look."""
    database = f"sqlite:///{tmp_path_factory.mktemp('shell')}/broker.sqlite3"
    with served(keyring, database) as (origin, cookie):
        return look(chromium, origin, cookie)


@contextmanager
def served(keyring: Keyring, database: str) -> Iterator[tuple[str, str]]:
    """The address of a broker, and the session cookie of a person who is signed in there."""
    made: list[Flask] = []
    secrets: list[str] = []

    def build(origin: str) -> Flask:
        tools = Tools(
            settings=Settings(issuer=origin, database_url=database),
            clock=lambda: NOON,
            random=entropy.system,
            keys=lambda: keyring,
            policy=read_policy(SHIPPED),
        )
        made.append(create_app(tools))
        with made[0].test_request_context("/"):
            db.create_all()
            with transaction() as tx:
                account = store.create(tx, keyring.wrapping, NOON, entropy.system)
                begun = session.begin(tx, account, "passkey_synced", NOON, entropy.system)
                secrets.append(begun)
        return made[0]

    with serve(build) as origin:
        yield origin, secrets[0]
    with made[0].app_context():
        db.session.remove()
        db.engine.dispose()


def look(browser: Browser, origin: str, cookie: str) -> list[Seen]:
    """What a person who is signed in sees of every page in every look."""
    found = []
    for language, width, scheme in LOOKS:
        size, colours = ViewportSize(width=width, height=800), cast("Scheme", scheme)
        context = browser.new_context(viewport=size, locale=language, color_scheme=colours)
        context.add_cookies([{"name": cookies.SESSION, "value": cookie, "url": origin}])
        page = context.new_page()
        told: list[str] = []
        page.on("console", partial(hear, told))
        found += [see(page, origin + path, (language, width, scheme), told) for path in PAGES]
        context.close()
    return found


def hear(told: list[str], message: ConsoleMessage) -> None:
    told.append(message.text)


def see(page: Page, url: str, how: tuple[str, int, str], told: list[str]) -> Seen:
    """What this page looks like, and what the browser complains of."""
    told.clear()
    page.goto(url)
    assert page.url == url  # no redirection to the sign-in page
    result = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    violations = [f"{v['id']}: {v['nodes'][0]['html']}" for v in result.response["violations"]]
    # The one thing that Chromium says of a page that is not there, and rightly.
    complaints = [text for text in told if "404" not in text]
    measured = page.evaluate(MEASURE)
    return Seen(url, how, measured["over"], measured["small"], violations, complaints)


def faults(seen: list[Seen], what: str) -> dict[tuple[Any, ...], Any]:
    return {(one.page, *one.look): getattr(one, what) for one in seen if getattr(one, what)}


def test_axe_finds_nothing_on_any_page(seen: list[Seen]) -> None:
    assert faults(seen, "violations") == {}


def test_no_page_scrolls_sideways(seen: list[Seen]) -> None:
    assert faults(seen, "over") == {}


def test_everything_to_press_is_as_high_as_a_finger(seen: list[Seen]) -> None:
    assert faults(seen, "small") == {}


def test_the_browser_complains_of_nothing(seen: list[Seen]) -> None:
    assert faults(seen, "complaints") == {}
