from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import func, select

from broker.db import reading
from broker.proofing import routes, store
from broker.proofing.models import FiledEvidence, OpenAttempt
from broker.web.tools import Tools
from tests import visits
from tests.conftest import StoppedClock
from tests.people import forms
from tests.proofing.conftest import Desk
from tests.proofing.letter import ANNA, LetterVerifier
from tests.visits import Visit, entries, events


def rows(app: Flask, table: type) -> int:
    with app.app_context(), reading() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


# The doors


def test_the_doors_are_listed_with_the_level_that_each_reaches(visit: Visit) -> None:
    page = visit.get(f"/prove/{visits.ask(visit)}?ui_locales=en").text
    assert page.count('class="door"') == 3
    assert "A letter" in page
    assert "level “declared”" in page
    assert "level “basic”" in page


def test_only_doors_that_help_are_listed(desk: Desk) -> None:
    desk.file()
    handle = visits.ask(desk.visit, "openid", "basic")
    # One door is left, and it is enough: the person is sent straight to it.
    assert desk.visit.get(f"/prove/{handle}").location == f"/prove/{handle}/compared"


def test_a_level_that_no_door_reaches_is_said_so(visit: Visit) -> None:
    page = visit.get(f"/prove/{visits.ask(visit, acr_values='verified-phr')}?ui_locales=en").text
    assert "The service asks for the level “verified”." in page
    assert "None of the ways that we can offer you today reaches it." in page


def test_nobody_goes_on_without_showing_anything_while_a_door_is_open(desk: Desk) -> None:
    answer = desk.visit.post(f"/prove/{desk.handle}")
    assert answer.status_code == 403
    assert "Go on without" not in desk.visit.get(f"/prove/{desk.handle}?ui_locales=en").text


def test_who_has_shown_something_may_go_on_with_it(desk: Desk) -> None:
    desk.file()
    handle = visits.ask(desk.visit, "openid", "verified-phr")
    assert "Go on without" in desk.visit.get(f"/prove/{handle}?ui_locales=en").text
    answer = desk.visit.post(f"/prove/{handle}")
    assert (answer.status_code, answer.location) == (303, f"/authorize/{handle}")


def test_declining_leads_back_to_the_service(desk: Desk) -> None:
    answer = desk.visit.post(f"/prove/{desk.handle}/decline")
    assert (answer.status_code, answer.location) == (303, f"/authorize/{desk.handle}/decline")


def test_from_the_account_page_all_doors_are_open(desk: Desk) -> None:
    desk.file()
    page = desk.visit.get("/prove/account").text
    assert page.count('class="door"') == 3
    assert desk.visit.post("/prove/account/decline").location == "/account"


def test_nobody_is_shown_a_door_unless_signed_in(app: Flask) -> None:
    stranger = visits.come(app)
    handle = visits.ask(stranger)
    for path in (f"/prove/{handle}", f"/prove/{handle}/letter", "/prove/account"):
        assert stranger.get(path).status_code == 404


def test_another_browsers_interaction_is_over(desk: Desk, app: Flask) -> None:
    other = visits.sign_in(visits.come(app, "c" * 43), desk.visit.account)
    assert other.get(desk.path).status_code == 404


def test_there_is_no_door_of_an_unknown_kind(visit: Visit) -> None:
    assert visit.get(f"/prove/{visits.ask(visit)}/nothing").status_code == 404


def test_a_door_may_lead_to_another_house(visit: Visit, app: Flask) -> None:
    answer = visit.get(f"/prove/{visits.ask(visit)}/abroad")
    assert answer.status_code == 303
    assert answer.location.startswith("https://abroad.test/?state=")
    assert rows(app, OpenAttempt) == 1


# Presenting something


def test_what_was_read_is_shown_beside_its_place(desk: Desk) -> None:
    page = desk.visit.get(f"{desk.read()}?ui_locales=en").text
    assert "<dt>Family name</dt><dd><bdi>ERIKSSON</bdi>" in page
    assert "12 August 1974" in page
    assert "line 1, places \u20681–9\u2069" in page
    assert "The check digits are right" in page
    assert "It is a specimen" in page
    assert "level “declared”" in page


def test_a_skipped_check_is_not_shown_as_made(desk: Desk) -> None:
    page = desk.visit.get(f"{desk.read()}?ui_locales=en").text
    made, _, not_proved = page.partition("What this does not prove")
    assert "electronic signature" not in made
    assert "electronic signature of its issuer was not checked" in not_proved


VAGUE = ANNA.replace(b"ERIKSSON", b"ERIK~SSON").replace(b"ANNA MARIA", b"~ANNA ~MARIA")


def test_letters_seen_least_well_are_marked_and_named(desk: Desk) -> None:
    page = desk.visit.get(f"{desk.read(VAGUE)}?ui_locales=en").text
    assert "<bdi>ERIK<mark>S</mark>SON</bdi>" in page
    assert "<bdi><mark>A</mark>NNA <mark>M</mark>ARIA</bdi>" in page
    assert "Compare closely: letter 5 (\u2068S\u2069)." in page
    assert "Compare closely: letter 1 (\u2068A\u2069); letter 5 (\u2068M\u2069)." in page
    assert "We are less sure of the underlined letters" in page


def test_nothing_is_underlined_where_nothing_is_in_doubt(desk: Desk) -> None:
    page = desk.visit.get(f"{desk.read()}?ui_locales=en").text
    assert "<mark>" not in page
    assert "underlined" not in page


def test_a_marked_letter_is_no_door_for_markup(desk: Desk) -> None:
    odd = ANNA.replace(b"ERIKSSON", b"E~<b>~&")
    page = desk.visit.get(f"{desk.read(odd)}?ui_locales=en").text
    assert "<bdi>E<mark>&lt;</mark>b&gt;<mark>&amp;</mark></bdi>" in page


def test_what_was_confirmed_is_in_doubt_no_more(desk: Desk, app: Flask) -> None:
    desk.file(VAGUE)
    with app.test_request_context(), reading() as tx:
        (filed,) = store.evidence(tx, desk.visit.account)
    assert filed.value("family_name") == "ERIKSSON"
    assert {claim.faint for claim in filed.claims} == {()}


def test_what_was_read_can_be_confirmed_or_refused_but_not_edited(desk: Desk, app: Flask) -> None:
    path = desk.read(VAGUE)
    page = desk.visit.get(path).text
    (form,) = [f for f in forms(page) if f.action == path]
    assert set(form.fields) == {"csrf_token"}
    desk.visit.post(path, answer="right", family_name="SMITH", given_name="JOHN")
    with app.test_request_context(), reading() as tx:
        (filed,) = store.evidence(tx, desk.visit.account)
    assert (filed.value("family_name"), filed.value("given_name")) == ("ERIKSSON", "ANNA MARIA")


def test_no_transaction_is_open_while_something_is_read(desk: Desk, letter: LetterVerifier) -> None:
    desk.present()
    assert letter.open_transactions == [False]


def test_what_was_read_lies_sealed(desk: Desk, app: Flask) -> None:
    desk.read()
    with app.app_context(), reading() as tx:
        attempt = tx.scalars(select(OpenAttempt)).one()
        assert attempt.reading is not None
        assert b"ERIKSSON" not in attempt.reading


def test_a_refused_paper_brings_the_page_again_and_is_on_record(desk: Desk, app: Flask) -> None:
    answer = desk.present(b"")
    assert answer.status_code == 422
    assert "Nothing is written here." in answer.text
    (entry,) = entries(app)
    assert entry["event"] == "evidence.refused"
    assert entry["facts"]["reason"] == "letter_blank"
    assert rows(app, FiledEvidence) == 0


def test_after_a_refusal_the_same_page_may_be_sent_again(desk: Desk) -> None:
    attempt = desk.open()
    assert desk.present(b"", attempt).status_code == 422
    assert desk.present(ANNA, attempt).status_code == 303


def test_a_page_sent_twice_is_read_once(desk: Desk, letter: LetterVerifier) -> None:
    attempt = desk.open()
    first, second = desk.present(ANNA, attempt), desk.present(ANNA, attempt)
    assert first.location == second.location
    assert len(letter.open_transactions) == 1


def test_an_answer_without_an_attempt_is_refused(desk: Desk) -> None:
    assert desk.present(attempt="").status_code == 404


def test_the_verifier_is_given_back_what_it_remembered(desk: Desk) -> None:
    attempt, letter = desk.open(), (BytesIO(ANNA), "letter.txt")
    answer = desk.visit.post(desk.path, letter_attempt=attempt, letter=letter, question="another")
    assert "This is the answer to another question." in answer.text


def test_more_bytes_than_the_door_admits_are_refused(desk: Desk, letter: LetterVerifier) -> None:
    assert desk.present(b"a=" + b"b" * 1000).status_code == 413
    assert letter.open_transactions == []


def test_tries_are_counted(
    desk: Desk, tools: Tools, clock: StoppedClock, letter: LetterVerifier
) -> None:
    limit = tools.settings.proofing.attempts_per_hour
    attempt = desk.open()
    for _ in range(limit):
        assert desk.present(b"", attempt).status_code == 422
    assert desk.present(ANNA, attempt).status_code == 429
    assert len(letter.open_transactions) == limit
    clock.forward(minutes=20)
    assert desk.present(ANNA, attempt).status_code == 429


def test_an_hour_later_one_may_try_again(desk: Desk, tools: Tools, clock: StoppedClock) -> None:
    attempt = desk.open()
    for _ in range(tools.settings.proofing.attempts_per_hour):
        desk.present(b"", attempt)
    clock.forward(minutes=61)
    visit = visits.sign_in(desk.visit, desk.visit.account, clock())
    later = Desk(visit, visits.ask(visit, began=clock()))
    assert later.present().status_code == 303


def test_an_attempt_expires(desk: Desk, tools: Tools, clock: StoppedClock) -> None:
    path = desk.read()
    clock.forward(seconds=int(tools.settings.proofing.attempt_lifetime.total_seconds()))
    assert desk.visit.get(path).status_code == 404
    assert desk.visit.post(path, answer="right").status_code == 404


def test_an_account_keeps_few_attempts_open(desk: Desk, app: Flask, clock: StoppedClock) -> None:
    attempts = []
    for _ in range(12):
        attempts.append(desk.open())
        clock.forward(seconds=1)
    assert rows(app, OpenAttempt) == 8
    assert desk.present(ANNA, attempts[-1]).status_code == 303
    assert desk.present(ANNA, attempts[0]).status_code == 404


# Looking at it, and confirming


def test_nothing_is_filed_before_the_person_has_said_so(desk: Desk, app: Flask) -> None:
    desk.visit.get(desk.read())
    assert rows(app, FiledEvidence) == 0
    assert events(app) == []


def test_confirming_files_it_and_leaves_a_trace(desk: Desk, app: Flask) -> None:
    answer = desk.file()
    assert (answer.status_code, answer.location) == (303, f"/authorize/{desk.handle}")
    with app.app_context(), reading() as tx:
        filed = tx.scalars(select(FiledEvidence)).one()
        assert filed.account_id == desk.visit.account
        assert b"ERIKSSON" not in filed.body
        reference, digest = filed.id, filed.digest
    (entry,) = entries(app)
    assert entry["event"] == "evidence.accepted"
    facts = entry["facts"]
    assert (facts["evidence"], facts["digest"], facts["level"]) == (reference, digest, "P0")
    assert {"method": "vcrypt", "property": "issuer_signature", "outcome": "skipped"} in facts[
        "checks"
    ]
    assert "ERIKSSON" not in str(entry)
    assert rows(app, OpenAttempt) == 0


def test_no_trace_no_fact(desk: Desk, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.read()

    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(routes, "record", fail)
    with pytest.raises(RuntimeError):
        desk.visit.post(path, answer="right")
    assert rows(app, FiledEvidence) == 0
    assert rows(app, OpenAttempt) == 1


def test_an_attempt_is_confirmed_once(desk: Desk, app: Flask) -> None:
    path = desk.read()
    desk.visit.post(path, answer="right")
    assert desk.visit.post(path, answer="right").status_code == 404
    assert rows(app, FiledEvidence) == 1


def test_trying_again_forgets_what_was_read(desk: Desk, app: Flask) -> None:
    path = desk.read()
    answer = desk.visit.post(path, answer="again")
    assert (answer.status_code, answer.location) == (303, desk.path)
    assert rows(app, OpenAttempt) == 0
    assert events(app) == ["evidence.discarded"]
    assert desk.visit.get(path).status_code == 404


def test_neither_yes_nor_no_is_malformed(desk: Desk, app: Flask) -> None:
    assert desk.visit.post(desk.read(), answer="perhaps").status_code == 400
    assert rows(app, OpenAttempt) == 1


def test_what_was_not_read_yet_cannot_be_confirmed(desk: Desk) -> None:
    path = f"{desk.path}/review/{desk.open()}"
    assert desk.visit.get(path).status_code == 404
    assert desk.visit.post(path, answer="right").status_code == 404


def test_another_account_finds_no_such_attempt(desk: Desk, app: Flask) -> None:
    path = desk.read()
    other = visits.sign_in(desk.visit)  # the same browser, another person
    assert other.account != desk.visit.account
    assert other.get(path).status_code == 404
    assert other.post(path, answer="right").status_code == 404
    assert rows(app, FiledEvidence) == 0


def test_another_sign_in_finds_no_such_attempt(desk: Desk) -> None:
    path = desk.read()
    again = visits.sign_in(desk.visit, desk.visit.account)
    assert again.post(path, answer="right").status_code == 404


def test_an_attempt_is_good_for_its_own_request_only(desk: Desk) -> None:
    path = desk.read()
    other = visits.ask(desk.visit)
    assert desk.visit.post(path.replace(desk.handle, other), answer="right").status_code == 404


def test_an_attempt_is_good_at_its_own_door_only(desk: Desk) -> None:
    attempt = desk.open()
    other = Desk(desk.visit, desk.handle, "compared")
    assert other.present(ANNA, attempt).status_code == 404


def test_a_form_of_another_site_files_nothing(desk: Desk, app: Flask) -> None:
    answer = desk.visit.client.post(
        desk.read(), data={"answer": "right"}, base_url="https://broker.test"
    )
    assert answer.status_code == 403
    assert rows(app, FiledEvidence) == 0


# Taking it back


def test_a_reading_can_be_taken_back(desk: Desk, app: Flask) -> None:
    desk.file()
    with app.app_context(), reading() as tx:
        reference = tx.scalars(select(FiledEvidence.id)).one()
    answer = desk.visit.post(f"/prove/evidence/{reference}/remove")
    assert (answer.status_code, answer.location) == (303, "/account")
    assert rows(app, FiledEvidence) == 0
    assert entries(app)[-1]["facts"]["evidence"] == reference


def test_nobody_takes_back_what_another_filed(desk: Desk, app: Flask) -> None:
    desk.file()
    with app.app_context(), reading() as tx:
        reference = tx.scalars(select(FiledEvidence.id)).one()
    other = visits.sign_in(desk.visit)
    assert other.post(f"/prove/evidence/{reference}/remove").status_code == 404
    assert rows(app, FiledEvidence) == 1


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_every_page_speaks_the_persons_language(desk: Desk, language: str) -> None:
    path = desk.read()
    page = desk.visit.get(f"{path}?ui_locales={language}")
    direction = "rtl" if language == "ar" else "ltr"
    assert f'lang="{language}" dir="{direction}"' in page.text
    titles = {"fr": "Est-ce exact", "ar": "هل هذا صحيح", "en": "Is this right?"}
    assert titles[language] in page.text
