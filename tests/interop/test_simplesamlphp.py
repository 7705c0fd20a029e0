"""Debian's SimpleSAMLphp as the identity provider: there and back again in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from broker.keyring import Keyring
from tests import abroad
from tests.interop.simplesamlphp import metadata, provider
from tests.interop.test_mod_auth_openidc import free_port
from tests.journeys.conftest import Town, with_key

pytestmark = [pytest.mark.interop, pytest.mark.browser]

LOCALES = {"fr": "fr-FR", "ar": "ar-MA"}


@pytest.fixture(params=sorted(LOCALES))
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale=LOCALES[request.param])
    made = context.new_page()
    with_key(made)
    yield made
    context.close()


@pytest.fixture
def town(tmp_path: Path, keyring: Keyring) -> Iterator[Town]:
    port = free_port()
    there = f"http://127.0.0.1:{port}"
    section = (
        f'profile = "eidas"\nentity_id = "{there}/idp"\nmetadata = "xa.xml"\n'
        'binding = "redirect"\nrsa = "pkcs1"\nsigned = "both"\nencrypted = false\n'
    )
    with abroad.town(tmp_path, keyring, lambda _: section) as town:
        acs = f"{town.broker}/foreign/eidas/xa"
        with provider(tmp_path / "ssp", port, f"{acs}.xml", acs) as origin:
            (tmp_path / "schemes/xa.xml").write_bytes(metadata(origin))
            yield town


def sign_in_there(page: Page) -> None:
    page.locator("input[name=username]").fill("sarah")
    page.locator("input[name=password]").fill("secret")
    page.locator("button[type=submit], input[type=submit]").last.click()


def test_a_person_is_vouched_for_by_simplesamlphp(page: Page, town: Town) -> None:
    service = abroad.leave(page, town)
    abroad.choose_country(page)
    page.wait_for_url("http://127.0.0.1:*/**")
    sign_in_there(page)
    page.wait_for_url("**/review/*", timeout=20_000)
    assert "Onases" in page.inner_text("main")
    token = abroad.confirm(page, town, service)
    assert token["acr"] == f"{town.broker}/acr/verified-phr"
    verification = token["verified_claims"]["verification"]
    assert verification["trust_framework"] == "eidas"
    assert verification["assurance_level"] == "substantial"
    assert verification["evidence"][0]["record"]["type"] == f"{town.broker}/record-types/eidas"
    assert token["verified_claims"]["claims"] == {
        "family_name": "Onases",
        "given_name": "Sarah",
        "birthdate": "1975-04-20",
    }
