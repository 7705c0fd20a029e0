"""A picture taken with a telephone for an attempt that was begun at a computer."""

import re
from io import BytesIO

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from broker.db import reading
from broker.errors import NotFound
from broker.proofing import handover
from broker.proofing.models import Handover
from broker.web.tools import Tools
from tests import visits
from tests.conftest import NOON, StoppedClock
from tests.proofing.conftest import Desk
from tests.proofing.letter import ANNA, LetterVerifier
from tests.visits import Visit, entries, events


class PortableLetter(LetterVerifier):
    """A letter that may be handed in by telephone."""

    by_phone = True


@pytest.fixture
def letter() -> LetterVerifier:
    return PortableLetter()


@pytest.fixture
def phone(app: Flask) -> Visit:
    """Another browser, in which nobody is signed in."""
    return visits.come(app, "p" * 43)


def offer(desk: Desk) -> tuple[str, str]:
    """The page on which the computer waits, and the path that its code leads to."""
    answer = desk.visit.post(f"{desk.path}/phone", letter_attempt=desk.open())
    assert answer.status_code == 303, answer.text
    page = desk.visit.get(answer.location)
    found = re.search(r"https://broker\.test(/prove/phone/[0-9a-f]{64})", page.text)
    assert found, page.text
    return answer.location, found[1]


def send(phone: Visit, path: str, letter: bytes = ANNA) -> TestResponse:
    phone.get(path)
    return phone.post(path, letter=(BytesIO(letter), "letter.txt"))


def test_the_computer_goes_on_with_what_the_telephone_sent(desk: Desk, phone: Visit) -> None:
    waiting, path = offer(desk)
    assert desk.visit.get(waiting).status_code == 200
    assert phone.get(path).status_code == 200
    assert send(phone, path).status_code == 200
    answer = desk.visit.get(waiting)
    assert answer.status_code == 303
    assert "ERIKSSON" in desk.visit.get(answer.location).text


def test_the_code_is_drawn_in_the_page_and_hides_nothing_in_styles(desk: Desk) -> None:
    page = desk.visit.get(offer(desk)[0]).text
    assert '<svg aria-hidden="true"' in page
    assert "style=" not in page
    assert "<noscript><meta http-equiv" in page


def test_the_telephone_is_shown_nothing_of_the_person_and_gets_no_session(
    desk: Desk, phone: Visit
) -> None:
    _, path = offer(desk)
    page = phone.get(path)
    answer = send(phone, path)
    for shown in (page, answer):
        assert "ERIKSSON" not in shown.text
        assert "miftah_session" not in str(shown.headers.getlist("Set-Cookie"))
    assert phone.get("/account").status_code != 200
    assert phone.get(f"/prove/{desk.handle}").status_code == 404


def test_an_address_is_good_for_one_picture(desk: Desk, phone: Visit) -> None:
    _, path = offer(desk)
    send(phone, path)
    assert phone.get(path).status_code == 404
    assert send(phone, path).status_code == 404


def test_looking_uses_nothing_up(desk: Desk, phone: Visit, app: Flask) -> None:
    _, path = offer(desk)
    visits.come(app, "q" * 43).get(path)
    phone.get(path)
    assert send(phone, path).status_code == 200


def test_a_refused_picture_may_be_taken_again(desk: Desk, phone: Visit) -> None:
    waiting, path = offer(desk)
    answer = send(phone, path, b"")
    assert answer.status_code == 422
    assert desk.visit.get(waiting).status_code == 200
    assert send(phone, path).status_code == 200
    assert events(phone.app) == ["handover.offered", "evidence.refused", "handover.used"]


def test_an_address_is_over_after_ten_minutes(
    desk: Desk, phone: Visit, clock: StoppedClock
) -> None:
    waiting, path = offer(desk)
    clock.forward(minutes=10)
    assert phone.get(path).status_code == 404
    assert send(phone, path).status_code == 404
    assert desk.visit.get(waiting).status_code == 404


def test_a_new_address_voids_the_one_before(desk: Desk, phone: Visit) -> None:
    attempt = desk.open()
    paths = []
    for _ in range(2):
        answer = desk.visit.post(f"{desk.path}/phone", letter_attempt=attempt)
        page = desk.visit.get(answer.location).text
        paths.append(re.search(r"/prove/phone/[0-9a-f]{64}", page)[0])  # type: ignore[index]
    assert phone.get(paths[0]).status_code == 404
    assert phone.get(paths[1]).status_code == 200


def test_what_the_computer_has_read_itself_is_not_replaced(desk: Desk, phone: Visit) -> None:
    waiting, path = offer(desk)
    desk.present(attempt=waiting.rsplit("/", 1)[1])
    assert send(phone, path).status_code == 404


def test_only_the_hand_over_itself_is_told_as_over(app: Flask) -> None:
    with app.test_request_context(), reading() as tx, pytest.raises(NotFound) as caught:
        handover.find(tx, "0" * 64, NOON)
    assert caught.value.code == "handover_over"


def test_a_guessed_address_and_another_browsers_wait_are_unknown(desk: Desk, phone: Visit) -> None:
    waiting, _ = offer(desk)
    answer = phone.get("/prove/phone/" + "0" * 64 + "?ui_locales=en")
    assert answer.status_code == 404
    assert "This address is over" in answer.text
    assert phone.get("/prove/phone/\0").status_code == 404
    assert phone.get(waiting).status_code == 404


def test_a_form_of_another_page_is_not_taken_on_the_telephone(desk: Desk, phone: Visit) -> None:
    _, path = offer(desk)
    assert phone.client.post(path, base_url="https://broker.test").status_code == 403


def test_addresses_and_pictures_count_as_tries(desk: Desk, phone: Visit, tools: Tools) -> None:
    most = tools.settings.proofing.attempts_per_hour
    _, path = offer(desk)
    answers = [send(phone, path, b"").status_code for _ in range(most)]
    assert answers == [422] * (most - 1) + [429]


def test_a_verifier_must_say_that_it_may_be_answered_elsewhere(desk: Desk) -> None:
    answer = desk.visit.post(f"/prove/{desk.handle}/compared/phone", letter_attempt="x")
    assert answer.status_code == 404


def test_neither_the_record_nor_the_database_holds_the_address(desk: Desk, phone: Visit) -> None:
    _, path = offer(desk)
    token = path.rsplit("/", 1)[1]
    send(phone, path)
    assert token not in str(entries(phone.app))
    with phone.app.app_context(), reading() as tx:
        row = tx.query(Handover).one()
        assert token not in (row.id, row.address.hex())
