"""Begun at a computer, photographed with a telephone: two browsers, and only one signed in."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browsing import ARTEFACTS
from tests.journeys.conftest import Town, with_key
from tests.journeys.test_whole_story import LOCALES, PHOTOGRAPH, Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(params=[("fr", True), ("ar", False)], ids=["fr-script", "ar-no-script"])
def computer(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[tuple[Walk, Page]]:
    """A computer, and a telephone, which may have no script."""
    language, script = request.param
    desk = chromium.new_context(viewport={"width": 1100, "height": 800}, locale=LOCALES[language])
    hand = telephone(chromium, LOCALES[language], script=script)
    page = desk.new_page()
    with_key(page)
    yield Walk(page, language), hand.new_page()
    desk.close()
    hand.close()


def telephone(chromium: Browser, locale: str, *, script: bool) -> BrowserContext:
    return chromium.new_context(
        viewport={"width": 360, "height": 740},
        locale=locale,
        java_script_enabled=script,
        is_mobile=True,
        has_touch=True,
    )


def test_a_telephone_sends_the_picture_and_the_computer_goes_on(
    computer: tuple[Walk, Page], town: Town
) -> None:
    walk, phone = computer
    page = walk.page
    page.goto(town.demo)
    walk.press("main a.button")
    walk.press("main a[href^='/enrol/']")
    walk.press("main form button")
    page.wait_for_url("**/second*")
    walk.press("main a[href^='/authorize/']")
    walk.press("form.hand-over button")
    page.wait_for_url("**/phone/*")
    walk.look("code-to-scan")

    phone.goto(page.inner_text(".address"))
    phone.screenshot(path=ARTEFACTS / f"{walk.language}-phone-asked.png", full_page=True)
    assert phone.locator("form.hand-over").count() == 0
    phone.set_input_files("input[name=camera]", PHOTOGRAPH)
    phone.locator("main form button").first.click()
    phone.get_by_role("heading", name=re.compile("Votre image|تمت قراءة")).wait_for()
    phone.screenshot(path=ARTEFACTS / f"{walk.language}-phone-sent.png", full_page=True)
    assert "INES" not in phone.content()

    page.wait_for_url("**/review/*")
    assert "INES CLAIRE" in page.inner_text("main")
    assert {cookie["name"] for cookie in phone.context.cookies()} == {"miftah_browser"}
