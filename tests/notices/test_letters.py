"""What becomes a letter, how it reads, and that none is lost."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from broker import outbox
from broker.audit.event import EVENTS
from broker.db import reading, transaction
from broker.notices.letter import LETTERS, OFFERED, REPLACED
from broker.notices.models import Notice
from broker.notices.worker import PACE
from broker.settings import MailSettings
from tests.authentication.test_sign_in import recorded
from tests.conftest import ISSUER, StoppedClock
from tests.notices.conftest import ADDRESS, PostOffice, deliver, settle_address, with_mail
from tests.people import add_key, enrol, new_key, visit


@pytest.fixture
def person(mailing: Flask, client: FlaskClient, post_office: PostOffice) -> FlaskClient:
    """Somebody signed in who gets notices."""
    enrol(client)
    settle_address(mailing, client, post_office)
    return client


def waiting(app: Flask) -> int:
    with app.app_context(), reading() as tx:
        return len(tx.scalars(select(Notice)).all())


def test_a_new_key_is_announced(
    mailing: Flask, person: FlaskClient, post_office: PostOffice
) -> None:
    add_key(person, new_key())
    deliver(mailing)
    [letter] = post_office.letters
    assert letter["To"] == ADDRESS
    assert letter["Auto-Submitted"] == "auto-generated"
    assert f"{ISSUER}/account" in letter.get_content()
    assert [e["notice"] for e in recorded(mailing, "notice.told")][-1] == "key.enrolled"


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("fr", "Une clé de sécurité a été ajoutée à votre compte."),
        ("ar", "أُضيف مفتاح أمان إلى حسابكم."),
    ],
)
def test_a_letter_speaks_the_language_in_which_the_address_was_given(
    mailing: Flask, client: FlaskClient, post_office: PostOffice, language: str, subject: str
) -> None:
    enrol(client)
    visit(client, f"/account?ui_locales={language}")
    settle_address(mailing, client, post_office)
    add_key(client, new_key())
    deliver(mailing)
    [letter] = post_office.letters
    assert letter["Subject"] == subject


def test_a_letter_waits_while_the_server_takes_none(
    mailing: Flask, person: FlaskClient, post_office: PostOffice, clock: StoppedClock
) -> None:
    add_key(person, new_key())
    post_office.closed = True
    deliver(mailing)
    assert (waiting(mailing), post_office.letters) == (1, [])
    post_office.closed = False
    deliver(mailing)
    assert post_office.letters == []  # not at once: it waits longer from try to try
    clock.now += timedelta(seconds=30)
    deliver(mailing)
    assert (waiting(mailing), len(post_office.letters)) == (0, 1)


def test_after_two_days_a_letter_is_given_up_and_the_record_says_so(
    mailing: Flask, person: FlaskClient, post_office: PostOffice, clock: StoppedClock
) -> None:
    add_key(person, new_key())
    post_office.closed = True
    for _ in range(60):
        deliver(mailing)
        clock.now += timedelta(hours=1)
    assert waiting(mailing) == 0
    assert [e["notice"] for e in recorded(mailing, "notice.refused")] == ["key.enrolled"]


def test_a_server_that_is_not_there_is_no_error(
    app: Flask, mailing: Flask, person: FlaskClient
) -> None:
    add_key(person, new_key())
    with_mail(app, MailSettings(host="127.0.0.1", port=9, security="none"))
    deliver(mailing)
    assert waiting(mailing) == 1


def test_a_letter_that_a_dead_worker_had_taken_is_sent_when_its_lease_is_over(
    mailing: Flask, person: FlaskClient, post_office: PostOffice, clock: StoppedClock
) -> None:
    add_key(person, new_key())
    with mailing.app_context(), transaction() as tx:
        due = outbox.next_due(tx, Notice, clock.now)
        assert due
        assert outbox.take(tx, Notice, due, clock.now, PACE.lease)
        assert (
            outbox.take(tx, Notice, due, clock.now, PACE.lease) is None
        )  # a second worker gets nothing
    deliver(mailing)
    assert post_office.letters == []
    clock.now += PACE.lease
    deliver(mailing)
    assert len(post_office.letters) == 1


def test_an_account_without_an_address_gets_no_letters(mailing: Flask, client: FlaskClient) -> None:
    enrol(client)
    add_key(client, new_key())
    assert waiting(mailing) == 0


def test_every_letter_is_about_something_that_is_recorded() -> None:
    assert set(LETTERS) - {OFFERED, REPLACED} <= set(EVENTS)


def test_a_letter_names_no_key_and_nobody(
    mailing: Flask, person: FlaskClient, post_office: PostOffice
) -> None:
    add_key(person, new_key())
    deliver(mailing)
    text = post_office.letters[0].get_content()
    assert "Security key 2" not in text
    assert "Miftah" not in text


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_is_not_secured_as_told_gets_no_letter(
    app: Flask,
    mailing: Flask,
    person: FlaskClient,
    post_office: PostOffice,
    security: str,
) -> None:
    add_key(person, new_key())
    mail = mailing.extensions["broker"].settings.mail
    with_mail(app, mail.model_copy(update={"security": security}))
    deliver(mailing)
    assert (post_office.letters, waiting(mailing)) == ([], 1)


def test_mail_in_clear_is_for_this_machine_only() -> None:
    with pytest.raises(ValueError, match="localhost only"):
        MailSettings(host="mail.example.org", security="none")


def test_the_operator_can_try_the_server(mailing: Flask, post_office: PostOffice) -> None:
    told = mailing.test_cli_runner().invoke(args=["mail", "test", "op@example.org"])
    assert (told.exit_code, told.output) == (0, "sent\n")
    assert post_office.letters[0]["To"] == "op@example.org"


def test_the_operator_is_told_why_the_server_cannot_be_reached(app: Flask) -> None:
    with_mail(app, MailSettings(host="127.0.0.1", port=9, security="none"))
    told = app.test_cli_runner().invoke(args=["mail", "test", "op@example.org"])
    assert told.exit_code == 1
    assert "not sent" in told.output
