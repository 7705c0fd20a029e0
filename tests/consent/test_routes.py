from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from broker.app import FEATURES
from broker.consent import routes, store
from broker.consent.models import Consent
from broker.db import reading, transaction
from broker.feature import Feature
from broker.web.tools import Tools
from tests import visits
from tests.conftest import NOON, StoppedClock
from tests.consent.conftest import know
from tests.people import forms
from tests.visits import Visit, entries, events

ALL = "openid profile document assurance offline_access"
revoked: list[tuple[str, str]] = []


def consents(app: Flask) -> list[tuple[str, list[str]]]:
    with app.app_context(), reading() as tx:
        return [(row.client_id, row.scope) for row in tx.scalars(select(Consent))]


def page(visit: Visit, scope: str, language: str = "en") -> str:
    answer = visit.get(f"/consent/{visits.ask(visit, scope)}?ui_locales={language}")
    assert answer.status_code == 200, answer.text
    return answer.text


# What the person reads


def test_the_very_values_are_shown(visit: Visit) -> None:
    know(visit)
    text = page(visit, ALL)
    for value in ("ANNA MARIA", "ERIKSSON", "12 August 1974", "female", "L898902C3"):
        assert f"<bdi>{value}</bdi>" in text
    assert "Morocco (MAR)" in text


def test_what_is_not_asked_for_is_not_shown(visit: Visit) -> None:
    know(visit)
    text = page(visit, "openid profile assurance")
    assert "L898902C3" not in text
    _, _, not_given = text.partition("What it will not be given")
    assert "The number of your document." in not_given
    assert "ERIKSSON" not in page(visit, "openid assurance")


def test_a_photograph_is_never_said_to_verify_anything(visit: Visit) -> None:
    know(visit)
    text = page(visit, ALL)
    assert "level “declared”" in text
    assert "Nobody has checked that it is genuine, or yours." in text
    assert "passed on as verified" not in text


def test_values_that_are_passed_on_as_verified_are_named(visit: Visit) -> None:
    know(visit, "mrz_photo_operator")
    _, _, verified = page(visit, ALL).partition("passed on as verified")
    assert "ERIKSSON" in verified


def test_what_was_shown_is_said_with_its_issuer_and_day(visit: Visit) -> None:
    know(visit)
    text = page(visit, "openid assurance")
    assert "What you showed: passport, issued by \u2068Morocco (MAR)\u2069" in text
    assert "read on 23 November 2026." in text


def test_the_service_and_its_purpose_are_named_in_the_persons_language(visit: Visit) -> None:
    assert "Taxes" in page(visit, "openid")
    assert "File a tax return" in page(visit, "openid")
    assert "التصريح بالضريبة" in page(visit, "openid", "ar")


def test_a_services_name_is_text_and_nothing_else(visit: Visit) -> None:
    text = page(visit, "openid", "fr")
    assert "Impôts &lt;b&gt;" in text
    assert "Impôts <b>" not in text


def test_how_long_is_said(visit: Visit) -> None:
    assert "for 10 minutes" in page(visit, "openid")
    assert "for 30 days" in page(visit, "openid offline_access")


def test_a_value_of_another_room_is_shown_too(app: Flask, visit: Visit) -> None:
    def guild(*_: object) -> dict[str, object]:
        return {"guild": ["smiths", "<masons>"]}

    house = app.extensions["broker"]
    rooms = (*house.features, Feature("guild", claims=guild))
    app.extensions["broker"] = replace(house, features=rooms)
    assert "<dt>guild</dt><dd><bdi>smiths, &lt;masons&gt;</bdi>" in page(visit, "openid")


# What the person decides


def test_agreeing_records_the_fact_and_its_trace_together(visit: Visit, app: Flask) -> None:
    handle = visits.ask(visit, "openid profile")
    answer = visit.post(f"/consent/{handle}")
    assert (answer.status_code, answer.location) == (303, f"/authorize/{handle}")
    assert consents(app) == [("taxes", ["openid", "profile"])]
    (entry,) = entries(app)
    assert entry["event"] == "consent.given"
    assert entry["facts"]["client"] == "taxes"
    assert entry["facts"]["scope"] == ["openid", "profile"]


def test_no_trace_no_fact(visit: Visit, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(routes, "record", fail)
    with pytest.raises(RuntimeError):
        visit.post(f"/consent/{visits.ask(visit)}")
    assert consents(app) == []


def test_declining_is_recorded_and_gives_nothing(visit: Visit, app: Flask) -> None:
    handle = visits.ask(visit)
    answer = visit.post(f"/consent/{handle}/decline")
    assert (answer.status_code, answer.location) == (303, f"/authorize/{handle}/decline")
    assert consents(app) == []
    assert events(app) == ["consent.declined"]


def test_the_pages_own_forms_agree_and_decline(visit: Visit, app: Flask) -> None:
    handle = visits.ask(visit)
    agree, decline = forms(visit.get(f"/consent/{handle}").text)
    assert agree.action == f"/consent/{handle}"
    assert decline.action == f"/consent/{handle}/decline"
    answer = visit.client.post(agree.action, data=agree.fields, base_url="https://broker.test")
    assert answer.status_code == 303
    assert len(consents(app)) == 1


def test_another_browser_cannot_agree_for_this_one(visit: Visit, app: Flask) -> None:
    handle = visits.ask(visit)
    other = visits.sign_in(visits.come(app, "c" * 43), visit.account)
    assert other.post(f"/consent/{handle}").status_code == 404
    assert consents(app) == []


def test_a_form_of_another_site_agrees_to_nothing(visit: Visit, app: Flask) -> None:
    handle = visits.ask(visit)
    answer = visit.client.post(f"/consent/{handle}", base_url="https://broker.test")
    assert answer.status_code == 403
    assert consents(app) == []


def test_an_expired_interaction_is_over(visit: Visit, app: Flask, clock: StoppedClock) -> None:
    handle = visits.ask(visit)
    clock.forward(minutes=45)
    again = visits.sign_in(visit, visit.account, clock())
    assert again.post(f"/consent/{handle}").status_code == 404
    assert consents(app) == []


def test_who_is_not_signed_in_agrees_to_nothing(app: Flask) -> None:
    stranger = visits.come(app)
    handle = visits.ask(stranger)
    for answer in (
        stranger.get(f"/consent/{handle}"),
        stranger.post(f"/consent/{handle}"),
        stranger.post(f"/consent/{handle}/decline"),
        stranger.post("/consent/withdraw", client="taxes"),
    ):
        assert answer.status_code == 404
    assert events(app) == []


def test_one_does_not_agree_with_ones_own_account_page(visit: Visit, app: Flask) -> None:
    assert visit.get("/consent/account").status_code == 404
    assert visit.post("/consent/account").status_code == 404
    assert consents(app) == []


def test_the_form_may_end_at_the_service_and_nowhere_else(visit: Visit) -> None:
    answer = visit.get(f"/consent/{visits.ask(visit)}")
    assert "form-action 'self' https://taxes.test;" in answer.headers["Content-Security-Policy"]


# Taking it back


class TestWithdrawing:
    @pytest.fixture
    def tools(self, tools: Tools) -> Tools:
        def revoke(_tx: Session, account_id: str, client_id: str) -> None:
            revoked.append((account_id, client_id))

        revoked.clear()
        return replace(tools, features=(*FEATURES, Feature("doorkeeper", revoke=revoke)))

    def test_withdrawing_ends_the_agreement_and_what_it_gave(
        self, visit: Visit, app: Flask
    ) -> None:
        visit.post(f"/consent/{visits.ask(visit)}")
        answer = visit.post("/consent/withdraw", client="taxes")
        assert (answer.status_code, answer.location) == (303, "/account")
        assert consents(app) == []
        assert revoked == [(visit.account, "taxes")]
        assert events(app)[-1] == "consent.withdrawn"

    def test_what_was_never_agreed_to_cannot_be_withdrawn(self, visit: Visit, app: Flask) -> None:
        assert visit.post("/consent/withdraw", client="taxes").status_code == 404
        assert revoked == []
        assert events(app) == []

    def test_nobody_withdraws_for_another(self, visit: Visit, app: Flask) -> None:
        visit.post(f"/consent/{visits.ask(visit)}")
        other = visits.sign_in(visits.come(app, "c" * 43))
        assert other.post("/consent/withdraw", client="taxes").status_code == 404
        assert len(consents(app)) == 1


def test_the_account_page_lists_the_services_used(visit: Visit) -> None:
    assert "No service has learnt anything" in visit.get("/account?ui_locales=en").text
    visit.post(f"/consent/{visits.ask(visit)}")
    text = visit.get("/account?ui_locales=en").text
    assert "<bdi>Taxes</bdi>" in text
    assert "You agreed on 23 November 2026." in text


def test_erasing_removes_the_accounts_agreements_and_no_others(visit: Visit, app: Flask) -> None:
    other = visits.sign_in(visits.come(app, "c" * 43))
    with app.app_context(), transaction() as tx:
        store.give(tx, visits.asked(visit), NOON)
        store.give(tx, visits.asked(other), NOON)
        store.erase(tx, visit.account)
    with app.app_context(), reading() as tx:
        assert tx.scalars(select(Consent.account_id)).all() == [other.account]
