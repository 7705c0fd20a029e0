"""The desk in real Chromium, in French and Arabic; and the browser that checks a proof."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from broker import clock, entropy
from broker.accounts import session, store
from broker.app import create_app
from broker.audit.log import record
from broker.db import db, transaction
from broker.desk import auditor, newest
from broker.desk.exports import TOO_MANY as FAULT
from broker.desk.models import Case, Comment, Export, Search, Unmasking
from broker.desk.scope import ALL
from broker.settings import Settings
from broker.web.tools import Tools
from tests.browsing import ARTEFACTS, follow, serve
from tests.recording import recorded

pytestmark = pytest.mark.browser

LOOKS = (("fr", 1100), ("ar", 390))
OPEN = "/desk/assertions/{assertion}"
PAGES = (
    "/desk",
    OPEN,
    "/desk/cases/case",
    "/desk/unmaskings",
    "/desk/pictures",
    "/desk/searches",
    "/desk/exports",
)


def fill(app: Flask) -> dict[str, Any]:
    """A year of assertions, a case and a request; returns whose session it is, and where."""
    house, now = app.extensions["broker"], clock.utcnow()
    with app.test_request_context(), transaction() as tx:
        me = store.create(tx, house.keyring.wrapping, now, entropy.system)
        other = store.create(tx, house.keyring.wrapping, now, entropy.system)
        auditor.appoint(tx, me, frozenset(ALL), None, now, entropy.system)
        name = auditor.appointed(tx, me).id
        secret = session.begin(tx, me, "passkey_synced", now, entropy.system)
        for month in range(12, 0, -1):
            _month(tx, now - timedelta(days=30 * month), month)
        last = _story(tx, other, now)
        case = Case(
            id="case", entry=last, client="teledeclaration", title="Pourquoi P0 ?", state="open",
            assignee=None, opened_by=name, opened=now, version=1,
        )  # fmt: skip
        tx.add(case)
        tx.flush()
        tx.add(Comment(case_id="case", number=1, author=name, text="À revoir.", at=now))
        tx.add(
            Unmasking(
                id="u", entry=last, client="teledeclaration", minutes=30,
                reason="Réclamation déposée le 12 novembre.", requested_by="auditor:second",
                requested=now,
            )
        )  # fmt: skip
        _kept(tx, name, now)
    return {"secret": secret, "assertion": last}


def _kept(tx: Any, owner: str, now: datetime) -> None:
    """Searches and exports of an auditor, and things enough for a second page of lists."""
    asked = {"client": "teledeclaration", "from": "2026-11-01T00:00:00Z", "kind": "mrz_photo"}
    tx.add(Search(id="s1", owner=owner, name="Chaque lundi", query=asked, created=now))
    ends: tuple[dict[str, Any], ...] = (
        {"due": now}, {"bundle": b"PK", "sha256": "ab" * 32}, {"fault": FAULT},
    )  # fmt: skip
    for n, end in enumerate(ends):
        tx.add(Export(id=f"e{n}", owner=owner, format="csv", query=asked, created=now, **end))
    for n in range(3):
        tx.add(
            Case(
                id=f"old{n}", entry=1, client="damancom", title=f"Refus ({n})", state="open",
                assignee=None, opened_by=owner, opened=now - timedelta(days=n + 1), version=1,
            )
        )  # fmt: skip
        tx.add(
            Unmasking(
                id=f"old{n}", entry=1, client="damancom", minutes=30, reason="Plainte ancienne.",
                requested_by="auditor:second", requested=now - timedelta(days=n + 1),
            )
        )  # fmt: skip


def _month(tx: Any, at: datetime, month: int) -> None:
    for n in range(6 + month % 5 * 3):
        for level in ("contact", "verified-phr", "basic")[: 1 + n % 3]:
            facts = {"account": "somebody", "client": "teledeclaration", "acr": level}
            record(tx, "token.issued", facts, at)
    for _ in range(5 + month % 3):
        record(tx, "code.refused", {"client": "teledeclaration", "reason": "access_denied"}, at)
        record(tx, "code.refused", {"client": "damancom", "reason": "login_required"}, at)


def _story(tx: Any, account: str, at: datetime) -> int:
    checks = [
        {"method": "data", "property": "check_digits", "outcome": "passed"},
        {"method": "vcrypt", "property": "issuer_signature", "outcome": "skipped"},
    ]
    about: dict[str, Any] = {"account": account, "client": "teledeclaration"}
    shown = {"kind": "mrz_photo", "evidence": "e1", "checks": checks, "level": "P0"}
    record(tx, "evidence.accepted", {"account": account, **shown}, at)
    record(tx, "consent.given", about | {"scope": ["openid", "profile"]}, at)
    record(tx, "code.issued", about | {"grant": "g1", "acr": "contact"}, at)
    told = {
        "grant": "g1", "acr": "contact", "identity": "P0", "authenticator": "C2", "policy": "v1",
        "because": "mrz_photo: no profile met", "evidence": "e1", "kind": "mrz_photo",
        "scope": ["openid", "profile"], "token": "ab" * 32, "subject": "pairwise-name",
    }  # fmt: skip
    return recorded(tx, "token.issued", about | told, at)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return {}


@pytest.fixture
def desk(tools: Tools, tmp_path: Path, made: dict[str, Any]) -> Iterator[str]:
    apps: list[Flask] = []

    def build(origin: str) -> Flask:
        settings = Settings(issuer=origin, database_url=f"sqlite:///{tmp_path}/broker.sqlite3")
        real = replace(tools, settings=settings, clock=clock.utcnow, random=entropy.system)
        apps.append(create_app(real))
        with apps[0].app_context():
            db.create_all()
        made.update(fill(apps[0]))
        return apps[0]

    with serve(build) as origin:
        yield origin
    with apps[0].app_context():
        db.session.remove()
        db.engine.dispose()


def _seat(chromium: Browser, desk: str, made: dict[str, Any], width: int) -> tuple[Page, list[str]]:
    context = chromium.new_context(viewport={"width": width, "height": 900})
    cookie = {"name": "miftah_session", "value": made["secret"], "url": desk}
    context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict
    page, said = context.new_page(), list[str]()
    page.on("console", lambda told: said.append(told.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return page, said


def test_the_desk_is_readable_in_french_and_arabic(
    chromium: Browser, desk: str, made: dict[str, Any]
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    for language, width in LOOKS:
        page, said = _seat(chromium, desk, made, width)
        for path in PAGES:
            answer = page.goto(f"{desk}{path.format(**made)}?ui_locales={language}")
            assert answer
            assert answer.ok, path
            expect(page.locator("html")).to_have_attribute("lang", language)
            if path == "/desk":
                follow(page.locator("form.desk-form button"))
                expect(page.locator("table tbody tr").first).to_be_visible()
                for summary in page.locator("details > summary").all():
                    summary.click()
            if path == OPEN:
                expect(page.locator('[data-said="holds"]')).to_be_visible()
            name = path.split("/")[-1].strip("{}") if path != "/desk" else "search"
            page.screenshot(path=ARTEFACTS / f"desk-{name}-{language}.png", full_page=True)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path} {language} {found.generate_report()}"
            page.set_viewport_size({"width": 320, "height": 640})
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, (path, language)
            page.set_viewport_size({"width": width, "height": 900})
        assert said == []
        page.context.close()


def test_long_lists_go_on_by_something_to_press(
    chromium: Browser, desk: str, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    monkeypatch.setattr(newest, "MOST", 2)
    for (language, _), what in product(LOOKS, ("cases", "unmaskings")):
        page, said = _seat(chromium, desk, made, 320)
        page.goto(f"{desk}/desk/{what}?ui_locales={language}")
        onward = page.locator("main .actions a.button").last
        box = onward.bounding_box()
        assert box
        assert box["height"] >= 44
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.screenshot(path=ARTEFACTS / f"desk-{what}-onward-{language}.png", full_page=True)
        assert Axe().run(page).violations_count == 0
        first = page.locator(".items > li").all_inner_texts()
        onward.click()
        page.wait_for_url("**after=*")
        assert not set(first) & set(page.locator(".items > li").all_inner_texts())
        assert page.locator("main .actions a.button").count() == 0
        assert said == []
        page.context.close()


def test_the_browser_itself_finds_a_proof_that_does_not_hold(
    chromium: Browser, desk: str, made: dict[str, Any]
) -> None:
    page, _ = _seat(chromium, desk, made, 800)

    def tamper(route: Any) -> None:
        answer = route.fetch()
        said = "&#34;leaf&#34;: &#34;"
        route.fulfill(response=answer, body=answer.text().replace(f"{said}ey", f"{said}eZ"))

    page.route("**/desk/assertions/*", tamper)
    page.goto(f"{desk}{OPEN.format(**made)}?ui_locales=en")
    expect(page.locator('[data-said="refused"]')).to_be_visible()
    expect(page.locator('[data-said="holds"]')).to_be_hidden()
    page.context.close()
