"""npm oidc-provider, a certified provider, vouches: there and back again in a browser."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page

from broker import jose
from broker.keyring import Keyring
from tests import abroad
from tests.interop.test_mod_auth_openidc import free_port
from tests.journeys.conftest import Town, with_key
from tests.verifiers.upstream.miftah import written
from tests.verifiers.upstream.peer import OURS, SCHEME

pytestmark = [pytest.mark.interop, pytest.mark.browser]

PEER = Path(__file__).parents[1] / "blackbox" / "peer"
LOCALES = {"fr": "fr-FR", "ar": "ar-MA"}
SECTION = """
pushed = true
request_object = true
id_token = "encrypted"
userinfo = "encrypted"
max_age = 3600
decryption_key_files = ["ec.pem"]
issuer_parameter = "demanded"
"""


@contextmanager
def provider(folder: Path, port: int, redirect_uri: str, **environ: str) -> Iterator[str]:
    """Where it is served; it knows us by the keys in `folder`."""
    told = {"PORT": str(port), "REDIRECT": redirect_uri, "JWKS": str(folder / "ours.jwks")}
    with (folder / "provider.log").open("w") as log:
        server = subprocess.Popen(
            ["node", "upstream.mjs"],
            cwd=PEER,
            env={**os.environ, **told, **environ},
            stdout=log,
            stderr=log,
        )
        origin = f"http://127.0.0.1:{port}"
        try:
            _await(f"{origin}/.well-known/openid-configuration")
            yield origin
        finally:
            server.terminate()
            server.wait(timeout=10)


def _await(address: str) -> None:
    for _ in range(100):
        try:
            requests.get(address, timeout=2).raise_for_status()
        except requests.RequestException:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(address)


@pytest.fixture(params=LOCALES)
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale=LOCALES[request.param])
    made = context.new_page()
    with_key(made)
    yield made
    context.close()


@contextmanager
def both(folder: Path, keyring: Keyring, more: str = "", **environ: str) -> Iterator[Town]:
    """The provider, and the broker that has a scheme for it."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    scheme = SCHEME.replace('issuer = "https://op.test"', f'issuer = "{origin}"') + SECTION + more
    public = {**OURS.as_dict(private=False), "use": "enc", "alg": "ECDH-ES+A256KW"}
    jwks = {"keys": [*jose.jwks(keyring)["keys"], public]}
    (folder / "ours.jwks").write_text(json.dumps(jwks))
    written(folder / "keys")
    with abroad.town(folder, keyring, lambda _: "", scheme) as town:
        back = f"{town.broker}/foreign/upstream/xa"
        with provider(folder, port, back, **environ):
            yield town


@pytest.mark.parametrize("dpop", ["", "dpop = true\n"], ids=["bearer", "dpop"])
def test_a_person_is_vouched_for_by_oidc_provider(
    page: Page, tmp_path: Path, keyring: Keyring, dpop: str
) -> None:
    with both(tmp_path, keyring, dpop, DPOP="yes" if dpop else "") as town:
        service = abroad.leave(page, town, "https://op.test/framework")
        abroad.choose_country(page)
        page.wait_for_url("http://127.0.0.1:*/interaction/*")
        page.locator("#sarah").click()
        page.wait_for_url("**/review/*", timeout=20_000)
        assert "Onases" in page.inner_text("main")
        assert "75056" in page.inner_text("main")
        token = abroad.confirm(page, town, service)
        assert token["acr"] == f"{town.broker}/acr/verified-phr"
        verification = token["verified_claims"]["verification"]
        assert verification["trust_framework"] == "https://op.test/framework"
        assert verification["assurance_level"] == "eidas2"
        assert verification["evidence"][0]["type"] == "electronic_record"
        assert token["verified_claims"]["claims"] == {
            "family_name": "Onases",
            "given_name": "Sarah",
            "birthdate": "1975-04-20",
        }


def test_a_level_below_what_was_asked_is_refused(
    page: Page, tmp_path: Path, keyring: Keyring
) -> None:
    with both(tmp_path, keyring, LEVEL="eidas1") as town:
        abroad.leave(page, town, "https://op.test/framework")
        abroad.choose_country(page)
        page.locator("#sarah").click()
        page.wait_for_url("http://localhost:*/**", timeout=20_000)
        # It may say itself that the level cannot be met; either way nobody is vouched for.
        assert "/review/" not in page.url
        assert page.locator("main a[href^='/prove/']").count() == 1
