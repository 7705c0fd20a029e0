from datetime import timedelta

from broker.db import reading, transaction
from broker.identity.evidence import Evidence
from broker.proofing import store
from broker.proofing.account import panel
from tests.conftest import NOON, StoppedClock
from tests.proofing.conftest import Desk
from tests.visits import Visit, sign_in


def account_page(visit: Visit) -> str:
    page = visit.get("/account?ui_locales=en")
    assert page.status_code == 200
    return page.text


def test_the_account_page_shows_what_was_read_and_how_sure_it_makes_us(desk: Desk) -> None:
    desk.file()
    page = account_page(desk.visit)
    assert "<bdi>ERIKSSON</bdi>" in page
    assert "Level “declared”" in page
    assert "Read on 23 November 2026." in page
    assert "Relied on until 23 December 2026." in page


def test_a_reading_is_not_relied_on_longer_than_its_document(visit: Visit) -> None:
    last = NOON.date() + timedelta(days=10)
    with visit.app.app_context(), transaction() as tx:
        store.file(tx, visit.account, Evidence("mrz_photo", (), (), NOON, last), NOON)
    with visit.app.test_request_context("/?ui_locales=en"), reading() as tx:
        (shown,) = panel(tx, visit.account, NOON).context["readings"]
    assert shown["until"] == last


def test_a_reading_that_is_too_old_says_so(desk: Desk, clock: StoppedClock) -> None:
    desk.file()
    clock.forward(days=31)
    page = account_page(sign_in(desk.visit, desk.visit.account, clock()))
    assert "too old to be relied on" in page
    assert "Relied on until" not in page


def test_who_has_shown_nothing_may_begin(visit: Visit) -> None:
    page = account_page(visit)
    assert "You have not shown any document yet." in page
    assert 'href="/prove/account"' in page
