"""Giving an address for notices, proving it, taking it back."""

import re
from contextlib import suppress
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from broker.db import reading
from broker.errors import Malformed
from broker.notices.address import parse
from broker.notices.models import Notice, NoticeAddress
from tests.authentication.test_recovery import make, use
from tests.authentication.test_sign_in import recorded
from tests.conftest import ISSUER, StoppedClock
from tests.notices.conftest import (
    ADDRESS,
    PostOffice,
    code_in,
    deliver,
    offer,
    prove,
    send,
    settle_address,
)
from tests.people import enrol, forms, visit


def send_late(client: FlaskClient, page: str) -> TestResponse:
    """The answer to the form of a page that was made a while ago."""
    form = next(form for form in forms(page) if form.action == "/account/address")
    return client.post(form.action, data={**form.fields, "address": ADDRESS}, base_url=ISSUER)


def test_an_address_is_in_use_once_its_code_was_typed(
    mailing: Flask, client: FlaskClient, post_office: PostOffice
) -> None:
    enrol(client)
    assert "give us an e-mail address" in visit(client, "/account?ui_locales=en").text
    assert offer(client).location == "/account/address/code"
    assert ADDRESS not in visit(client, "/account").text
    deliver(mailing)
    assert post_office.letters[0]["To"] == ADDRESS
    assert prove(client, code_in(post_office.letters[0])).location == "/account"
    assert f'id="notice-address">{ADDRESS}<' in visit(client, "/account").text
    assert len(recorded(mailing, "address.confirmed")) == 1


def test_a_code_may_be_typed_with_spaces(
    mailing: Flask, client: FlaskClient, post_office: PostOffice
) -> None:
    enrol(client)
    offer(client)
    deliver(mailing)
    code = code_in(post_office.letters[0])
    assert prove(client, f" {code[:4]} {code[4:]} ").status_code == 303


def test_a_wrong_code_proves_nothing_and_is_on_record(mailing: Flask, client: FlaskClient) -> None:
    enrol(client)
    visit(client, "/account?ui_locales=en")
    offer(client)
    page = prove(client, "x")
    assert page.status_code == 422
    assert "This is not the code that we sent, or it is too old." in page.text
    assert recorded(mailing, "address.refused")[-1]["reason"] == "wrong"
    assert "notice-address" not in visit(client, "/account").text


def test_after_five_wrong_codes_the_right_one_is_no_use(
    mailing: Flask, client: FlaskClient, post_office: PostOffice
) -> None:
    enrol(client)
    offer(client)
    deliver(mailing)
    for _ in range(5):
        prove(client, "00000000x")
    assert prove(client, code_in(post_office.letters[0])).status_code == 422
    assert recorded(mailing, "address.refused")[-1]["reason"] == "too_many_tries"


def test_a_code_is_good_for_half_an_hour(
    mailing: Flask, client: FlaskClient, post_office: PostOffice, clock: StoppedClock
) -> None:
    enrol(client)
    offer(client)
    deliver(mailing)
    clock.now += timedelta(minutes=30)
    assert prove(client, code_in(post_office.letters[0])).status_code == 422
    assert recorded(mailing, "address.refused")[-1]["reason"] == "too_old"


def test_a_code_is_good_once(mailing: Flask, client: FlaskClient, post_office: PostOffice) -> None:
    enrol(client)
    offer(client)
    deliver(mailing)
    form = {"code": code_in(post_office.letters[0])}
    prove(client, form["code"])
    assert visit(client, "/account/address/code").location == "/account/address"


def test_whoever_asks_for_codes_again_and_again_waits_longer_and_longer(
    mailing: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    assert mailing
    offer(client)
    assert offer(client).status_code == 429
    clock.now += timedelta(minutes=1)
    assert offer(client).status_code == 303
    clock.now += timedelta(minutes=1)
    assert offer(client).status_code == 429


def test_the_address_stands_sealed_in_the_database(mailing: Flask, client: FlaskClient) -> None:
    enrol(client)
    offer(client)
    with mailing.app_context(), reading() as tx:
        row, letter = tx.scalars(select(NoticeAddress)).one(), tx.scalars(select(Notice)).one()
        assert ADDRESS.encode() not in (row.pending or b"") + letter.letter


def test_the_old_address_is_told_when_another_takes_its_place(
    mailing: Flask, client: FlaskClient, post_office: PostOffice
) -> None:
    enrol(client)
    settle_address(mailing, client, post_office)
    offer(client, "other@example.org")
    deliver(mailing)
    prove(client, code_in(post_office.letters.pop()))
    deliver(mailing)
    assert {(m["To"], "ne reçoit plus" in m["Subject"]) for m in post_office.letters} == {
        (ADDRESS, True),
        ("other@example.org", False),
    }


def test_an_address_that_is_taken_back_gets_one_last_letter(
    mailing: Flask, client: FlaskClient, post_office: PostOffice
) -> None:
    enrol(client)
    settle_address(mailing, client, post_office)
    send(client, "/account/address", "/account/address/removal")
    deliver(mailing)
    assert [letter["To"] for letter in post_office.letters] == [ADDRESS]
    assert "notice-address" not in visit(client, "/account").text


def test_a_sign_in_that_is_not_fresh_changes_no_address(
    mailing: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    assert mailing
    form = visit(client, "/account/address")
    clock.now += timedelta(minutes=6)
    assert form.status_code == 200
    assert visit(client, "/account/address").location.startswith("/sign-in/account")
    answer = send_late(client, form.text)
    assert (answer.status_code, "sign_in_again" in answer.text) == (403, True)


def test_whoever_came_by_a_recovery_code_changes_no_address(
    mailing: Flask, client: FlaskClient
) -> None:
    enrol(client)
    codes = make(client)
    form = visit(client, "/account/address")
    use(client, codes[0])
    assert visit(client, "/account/address").status_code == 303
    answer = send_late(client, form.text)
    assert (answer.status_code, "recovery_cooling" in answer.text) == (403, True)
    assert mailing


def test_a_stranger_is_sent_to_sign_in(mailing: Flask, client: FlaskClient) -> None:
    assert mailing
    for page in ("/account/address", "/account/address/code"):
        assert visit(client, page).location.startswith("/sign-in/account")


def test_where_no_mail_is_sent_nobody_is_asked_for_an_address(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    assert app.extensions["broker"].settings.mail.host == ""
    page = visit(client, "/account").text
    assert "/account/address" not in page
    assert re.search(r'<section class="panel">\s*</section>', page) is None
    assert visit(client, "/account/address").status_code == 404


def test_erasing_the_account_erases_address_and_letters(
    mailing: Flask, client: FlaskClient
) -> None:
    enrol(client)
    offer(client)
    send(client, "/account/erase", "/account/erase")
    with mailing.app_context(), reading() as tx:
        assert (tx.scalars(select(NoticeAddress)).all(), tx.scalars(select(Notice)).all()) == (
            [],
            [],
        )


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "amal",
        "amal@",
        "@example.org",
        "amal@localhost",
        "a b@example.org",
        "amal@example.org\nBcc: x@example.org",
        "amal@example..org",
        ".amal@example.org",
        "amal@-example.org",
        "a" * 65 + "@example.org",
        "a@" + "a." * 130 + "org",
        "<amal@example.org>",
        "amal@example.org, x@example.org",
        "amal@exämple.org",
    ],
)
def test_what_is_no_address_is_refused(mailing: Flask, client: FlaskClient, typed: str) -> None:
    enrol(client)
    visit(client, "/account?ui_locales=en")
    page = offer(client, typed)
    assert page.status_code == 400
    assert "This does not look like an e-mail address." in page.text
    with mailing.app_context(), reading() as tx:
        assert tx.scalars(select(NoticeAddress)).all() == []


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_refused(typed: str) -> None:
    with suppress(Malformed):
        address = parse(typed)
        assert address.isascii()
        assert address.isprintable()
