"""A person abroad, from the relying service and back, twice; then the auditor."""

import base64
import json
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page

from tests.browsing import ARTEFACTS, follow
from tests.journeys.conftest import Town, client_of, with_key

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHOTOGRAPH = Path(__file__).parent.parent / "vectors/passport/specimen-photograph.jpg"
LOCALES = {"fr": "fr-FR", "ar": "ar-MA"}


def on_its_side(photograph: Path) -> FilePayload:
    """The picture turned by a quarter in its pixels: no note in the file says so."""
    out = BytesIO()
    with Image.open(photograph) as upright:
        upright.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", quality=92)
    return {"name": "on-its-side.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


class Walk:
    """A walk through pages: each is checked for what every page owes, and photographed."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.language = language
        self.shots = 0

    def look(self, name: str) -> None:
        page = self.page
        self.shots += 1
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(
            path=ARTEFACTS / f"{self.language}-{self.shots:02d}-{name}.png", full_page=True
        )
        html = page.locator("html")
        assert html.get_attribute("lang") == self.language, name
        assert html.get_attribute("dir") == ("rtl" if self.language == "ar" else "ltr"), name
        width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], f"{name} scrolls sideways"
        found = Axe().run(page).response["violations"]
        assert not found, f"{name}: {json.dumps(found, indent=1)[:3000]}"

    def press(self, selector: str) -> None:
        follow(self.page.locator(selector).first, timeout_ms=60_000)


@pytest.fixture(params=sorted(LOCALES))
def walk(request: pytest.FixtureRequest, chromium: Browser) -> Any:
    context = chromium.new_context(
        viewport={"width": 360, "height": 780}, locale=LOCALES[request.param]
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda line: complaints.append(line.text) if "Content Security" in line.text else None,
    )
    with_key(page)
    yield Walk(page, request.param)
    context.close()
    assert complaints == []


def test_first_visit_return_visit_and_the_auditor(walk: Walk, town: Town) -> None:
    first_visit(walk, town)
    first = claims_shown(walk.page)
    assert first["acr"] == f"{town.broker}/acr/contact"
    assert first["verified_claims"]["claims"] == {}
    assert first[f"{town.broker}/claims/assurance"]["identity_label"] == "declared"

    the_service_refuses_to_file_at_this_level(walk)
    return_visit_by_key_alone(walk, town)
    assert claims_shown(walk.page)["sub"] == first["sub"]

    the_auditor_finds_the_issuance(town, walk.page.inner_text("pre"))
    the_person_leaves(walk, town)


def first_visit(walk: Walk, town: Town) -> None:
    page = walk.page
    page.goto(town.demo)
    walk.look("relying-service")
    walk.press("main a.button")
    walk.look("sign-in")
    walk.press("main a[href^='/enrol/']")
    walk.look("create-access")
    walk.press("main form button")
    page.wait_for_url("**/second*")
    walk.look("second-key")
    walk.press("main a[href^='/authorize/']")
    walk.look("photograph")
    page.set_input_files("input[name=photograph]", on_its_side(PHOTOGRAPH))
    page.locator("form [role=status]").filter(has_text=re.compile(r"\S")).wait_for()
    walk.look("photograph-chosen")
    walk.press("main form button")
    page.wait_for_url("**/review/*")
    walk.look("what-was-read")
    assert "INES CLAIRE" in page.inner_text("main")
    walk.press("main form button")
    page.wait_for_url("**/consent/*")
    walk.look("consent")
    walk.press("main form button")
    page.wait_for_url(f"{town.demo}/")
    walk.look("identified")


def the_service_refuses_to_file_at_this_level(walk: Walk) -> None:
    walk.press("form[action='/act/file'] button")
    walk.look("not-enough")
    assert walk.page.locator("a.button[href='/sign-in?acr=verified-phr']").count() == 1
    walk.press("a.button[href='/sign-in?acr=verified-phr']")
    walk.page.wait_for_url("**/prove/*")
    walk.look("nothing-better-yet")
    walk.press("main form button")
    walk.page.wait_for_url("**:*/")
    assert walk.page.inner_text("#acr") == "contact"


def return_visit_by_key_alone(walk: Walk, town: Town) -> None:
    page = walk.page
    walk.press("form[action='/leave'] button")
    sessions = [c for c in page.context.cookies() if "session" in str(c.get("name"))]
    for cookie in sessions:
        page.context.clear_cookies(name=cookie["name"])
    page.goto(town.demo)
    walk.press("main a.button")
    walk.look("sign-in-again")
    walk.press("main form button")
    page.wait_for_url(f"{town.demo}/")
    walk.look("identified-again")


def the_auditor_finds_the_issuance(town: Town, shown: str) -> None:
    who = client_of(
        town.app,
        "--name",
        "en=Auditor",
        "--grant",
        "client_credentials",
        "--scope",
        "audit:read audit:proof",
    )
    form = {"grant_type": "client_credentials", "scope": "audit:read audit:proof"}
    token = requests.post(f"{town.broker}/token", data=form, auth=who, timeout=10).json()

    def get(path: str) -> Any:
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        answer = requests.get(f"{town.broker}/api/v1{path}", headers=bearer, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    issued = get("/entries?event=token.issued")["entries"]
    assert len(issued) == 4  # three for the person, one for the auditor
    assert "INES" not in json.dumps(get("/entries"))
    index = issued[0]["index"]
    entry, proof = get(f"/entries/{index}"), get(f"/entries/{index}/proof")
    assert verdict(town, entry, proof) == 0
    leaf = bytearray(base64.b64decode(entry["leaf"]))
    leaf[-2] ^= 1
    forged = entry | {"leaf": base64.b64encode(bytes(leaf)).decode()}
    assert verdict(town, forged, proof) != 0


def verdict(town: Town, entry: Any, proof: Any) -> int:
    """The exit status of the verifier that is handed to auditors, run on its own."""
    folder = ARTEFACTS
    (folder / "entry.json").write_text(json.dumps(entry))
    (folder / "proof.json").write_text(json.dumps(proof))
    key = town.app.test_cli_runner().invoke(args=["audit", "key"]).output.strip()
    command = [sys.executable, "-m", "miftah_verify", "answer"]
    files = [str(folder / "entry.json"), str(folder / "proof.json")]
    return subprocess.run([*command, *files, "--key", key], check=False, timeout=30).returncode


def the_person_leaves(walk: Walk, town: Town) -> None:
    page = walk.page
    page.goto(f"{town.broker}/account")
    walk.look("account")
    walk.press("main a[href='/account/erase']")
    walk.look("erase")
    walk.press("main form button")
    walk.look("erased")
    page.goto(f"{town.broker}/account")
    assert "/sign-in/" in page.url


def claims_shown(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.inner_text("pre"))
    return found
