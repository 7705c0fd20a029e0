"""From a service to another country's provider and back, on two sites, in a browser."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page

from broker import clock, entropy
from broker.app import create_app
from broker.db import db
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import Keyring
from broker.settings import Settings
from broker.web.tools import Tools
from tests import abroad
from tests.browsing import ARTEFACTS, follow, serve
from tests.journeys.conftest import Town, with_key
from tests.verifiers.upstream.miftah import SCHEME, registered, written
from tests.web.test_browser import MEASURE, RULES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOCALES = {"fr": "fr-FR", "ar": "ar-MA"}


@pytest.fixture(params=LOCALES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(language: str, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale=LOCALES[language])
    made = context.new_page()
    with_key(made)
    yield made
    context.close()


@pytest.fixture
def there(tmp_path: Path, keyring: Keyring) -> Iterator[Town]:
    """The other Miftah, at another host than ours: two sites, for which cookies differ."""
    made: list[Flask] = []

    def at(origin: str) -> Flask:
        url = f"sqlite:///{tmp_path}/there.sqlite3"
        settings = Settings(issuer=origin, database_url=url, rehearsal=True)
        policy = read_policy(SHIPPED)
        made.append(
            create_app(Tools(settings, clock.utcnow, entropy.system, lambda: keyring, policy))
        )
        with made[0].app_context():
            db.create_all()
        return made[0]

    with serve(at, "127.0.0.1") as origin:
        yield Town(origin, "", made[0])
    with made[0].app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def town(tmp_path: Path, keyring: Keyring, there: Town) -> Iterator[Town]:
    scheme = SCHEME.format(up=there.broker)
    written(tmp_path / "keys")
    with abroad.town(tmp_path, keyring, lambda _: "", scheme) as town:
        registered(there.app, keyring, f"{town.broker}/foreign/upstream/xa")
        yield town


def sign_in_there(page: Page, person: str) -> None:
    """As a test person of the other Miftah, who agrees to what is shared."""
    page.wait_for_url("http://127.0.0.1:*/sign-in/*")
    follow(page.locator("#rehearsal-link"))
    page.locator(f"#rehearsal-{person}").click()
    page.wait_for_url("**/consent/*")
    page.locator("main form button").first.click()


def picture(page: Page, name: str) -> None:
    """The page as it looks, once nothing is wrong with it for eyes, fingers and small screens."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"abroad-{name}.png", full_page=True)
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    assert [v["id"] for v in found.response["violations"]] == []
    whole = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate(MEASURE) == {"over": 0, "small": []}
    if whole:
        page.set_viewport_size(whole)


def test_a_provider_vouches_and_the_service_hears_at_what_level(
    page: Page, town: Town, there: Town, language: str
) -> None:
    service = abroad.leave(page, town, f"{there.broker}/trust-framework")
    picture(page, f"doors-{language}")
    follow(page.locator("a[href*='/countries']").first)
    page.wait_for_url("**/countries")
    picture(page, f"countries-{language}")
    page.locator("a.door").first.click()
    sign_in_there(page, "verified")
    page.wait_for_url("**/review/*")
    assert urlsplit(page.url).netloc == urlsplit(town.broker).netloc
    assert "LEILA" in page.inner_text("main")
    picture(page, f"review-{language}")
    token = abroad.confirm(page, town, service)
    assert token["acr"] == f"{town.broker}/acr/verified-phr"
    verification = token["verified_claims"]["verification"]
    assert verification["trust_framework"] == f"{there.broker}/trust-framework"
    assert verification["assurance_level"] == f"{there.broker}/acr/verified-phr"
    assert verification["evidence"][0]["type"] == "electronic_record"
    assert token["verified_claims"]["claims"] == {
        "family_name": "ESSAI",
        "given_name": "LEILA",
        "birthdate": "1990-05-17",
    }
    account = page.context.new_page()  # the first one is still on its way to the service
    account.goto(f"{town.broker}/account")
    picture(account, f"account-{language}")
    assert account.locator("form[action$='/unlink']").count() == 1


def test_a_level_that_we_do_not_know_is_told_and_leads_on(
    page: Page, town: Town, there: Town, language: str
) -> None:
    abroad.leave(page, town, f"{there.broker}/trust-framework")
    follow(page.locator("a[href*='/countries']").first)
    page.locator("a.door").first.click()
    sign_in_there(page, "declared")
    page.wait_for_url("http://localhost:*/**")
    picture(page, f"refused-{language}")
    assert page.locator("main a[href^='/prove/']").count() == 1
