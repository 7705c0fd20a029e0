"""From a service to an eIDAS node and back, on two sites, in a browser: encrypted, at its level."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from broker.keyring import Keyring
from tests import abroad
from tests.browsing import follow
from tests.journeys.conftest import Town, with_key
from tests.verifiers.eidas import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def town(tmp_path: Path, keyring: Keyring) -> Iterator[Town]:
    """The broker at localhost, the node at 127.0.0.1: two sites, for which cookies differ."""
    node = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    there = f"http://127.0.0.1:{node.server_port}"
    with abroad.town(tmp_path, keyring, lambda _: serving.section(there)) as town:
        address = f"{town.broker}/foreign/eidas/xa.xml"
        node.app = serving.create_app(
            lambda: serving.known(requests.get(address, timeout=10).content)
        )
        thread = Thread(target=node.serve_forever)
        thread.start()
        yield town
        node.shutdown()
        thread.join()
        node.server_close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="en-GB")
    made = context.new_page()
    with_key(made)
    yield made
    context.close()


def go(page: Page, who: str) -> None:
    """To the node, and back with what it says."""
    page.locator("form[action^='http://127.0.0.1'] button").click()
    page.locator(f"#{who}").click()
    page.locator("#back").click()


def test_a_node_vouches_and_the_service_hears_at_what_level(page: Page, town: Town) -> None:
    service = abroad.leave(page, town)
    abroad.choose_country(page)
    go(page, "sarah-high")
    page.wait_for_url("**/review/*")
    assert "Ωνάσης" in page.inner_text("main")
    token = abroad.confirm(page, town, service)
    assert token["acr"] == f"{town.broker}/acr/official-phr"
    verified = token["verified_claims"]
    assert verified["verification"]["trust_framework"] == "eidas"
    assert verified["verification"]["assurance_level"] == "high"
    assert verified["claims"]["family_name"] == "Onases"


def test_who_acts_for_a_company_is_known_as_themselves(page: Page, town: Town) -> None:
    service = abroad.leave(page, town)
    abroad.choose_country(page)
    go(page, "sarah-for-atlas-substantial")
    assert "Atlas Textiles" in page.inner_text("main")
    token = abroad.confirm(page, town, service)
    assert token["verified_claims"]["claims"]["given_name"] == "Sarah"
    assert "Atlas" not in str(token)


def test_a_refusal_is_told_and_the_visit_goes_on(page: Page, town: Town) -> None:
    service = abroad.leave(page, town)
    for who, said in (
        ("no", "You could not be signed in there."),
        ("sarah-low", "The means that you used there is not as sure as the service needs."),
        ("atlas-high", "The answer names a company and no person."),
    ):
        abroad.choose_country(page)
        go(page, who)
        expect(page.locator("main")).to_contain_text(said, timeout=20_000)
        follow(page.locator("main a.button-primary"))
    abroad.choose_country(page)
    go(page, "sarah-substantial")
    assert abroad.confirm(page, town, service)["acr"].endswith("/verified-phr")


def test_back_button_and_second_tab_lose_nothing(page: Page, town: Town) -> None:
    service = abroad.leave(page, town)
    abroad.choose_country(page)
    start = page.url
    other = page.context.new_page()
    other.goto(start)
    go(page, "sarah-substantial")
    page.wait_for_url("**/review/*")
    page.go_back()
    page.go_forward()
    page.wait_for_url("**/review/*")
    go(other, "sarah-substantial")
    other.wait_for_url("**/review/*")
    assert abroad.confirm(page, town, service)["acr"].endswith("/verified-phr")
