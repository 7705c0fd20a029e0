"""An authenticator app: proved once, good beside a recovery code, each of its codes good once."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from broker.accounts.models import Session
from broker.authentication.models import Authenticator, Totp
from broker.db import reading
from tests.authentication.test_recovery import make, use
from tests.authentication.test_sign_in import recorded
from tests.conftest import ISSUER, StoppedClock
from tests.people import add_key, enrol, forms, new_key, sign_in, visit


def press(client: FlaskClient, page: TestResponse, action: str, **typed: str) -> TestResponse:
    """The answer to the form of the page, filled in as told."""
    form = next(form for form in forms(page.text) if form.action == action)
    return client.post(action, data={**form.fields, **typed}, base_url=ISSUER)


def prepare(client: FlaskClient) -> tuple[TestResponse, pyotp.TOTP]:
    """The page with the secret, and an app into which it was put."""
    page = press(client, visit(client, "/authenticator-app"), "/authenticator-app")
    letters = re.findall(r'id="app-letters">([^<]+)<', page.text)[0]
    return page, pyotp.TOTP(letters.replace(" ", ""))


def add_app(client: FlaskClient, clock: StoppedClock) -> pyotp.TOTP:
    """An app that counts; the step in which it was proved is over."""
    page, app = prepare(client)
    proof = press(client, page, "/authenticator-app/proof", code=app.at(clock.now))
    assert proof.location == "/account"
    clock.now += timedelta(seconds=30)
    return app


def type_digits(client: FlaskClient, digits: str) -> TestResponse:
    page = visit(client, "/recovery/account/app")
    return press(client, page, "/recovery/account/app", code=digits)


def ways(app: Flask) -> list[str]:
    with app.app_context(), reading() as tx:
        return list(tx.scalars(select(Session.authenticator)).all())


def test_an_app_counts_once_its_first_digits_were_right(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    add_app(client, clock)
    assert len(recorded(app, "totp.enrolled")) == 1
    assert "/authenticator-app/removal" in visit(client, "/account").text


def test_the_page_says_what_the_square_says(client: FlaskClient) -> None:
    enrol(client)
    page, app = prepare(client)
    uri = re.findall(r'href="(otpauth:[^"]+)"', page.text)[0].replace("&amp;", "&")
    asked = parse_qs(urlsplit(uri).query)
    assert (asked["secret"], asked["issuer"]) == ([app.secret], ["Miftah"])
    (picture,) = re.findall(r'<svg [^>]*class="qr"[^>]*>', page.text)
    assert "viewBox" in picture  # so that it grows to the size that a camera can read
    assert "width=" not in picture
    assert page.headers["Cache-Control"] == "no-store"


def test_wrong_first_digits_prove_nothing_and_the_secret_stays(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    page, device = prepare(client)
    again = press(client, page, "/authenticator-app/proof", code="000000")
    assert again.status_code == 422
    assert device.secret[:4] in again.text
    assert recorded(app, "totp.refused")[0]["reason"] == "wrong"
    right = press(client, again, "/authenticator-app/proof", code=device.at(clock.now))
    assert right.location == "/account"


def test_the_secret_stands_sealed_in_the_database(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    _, device = prepare(client)
    with app.app_context(), reading() as tx:
        sealed = tx.scalars(select(Totp.secret)).one()
    assert device.byte_secret() not in sealed
    assert device.byte_secret().hex().encode() not in sealed


def test_code_and_app_together_need_no_waiting_time(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    """NIST SP 800-63B-4 §4.2.2.2"""
    enrol(client)
    codes, device = make(client), add_app(client, clock)
    stranger = app.test_client()
    assert use(stranger, codes[0]).location == "/recovery/account/app"
    assert ways(app) == ["access_code"]
    assert type_digits(stranger, device.at(clock.now)).location == "/enrol/account"
    assert ways(app) == ["totp"]
    key = new_key()
    add_key(stranger, key)
    with app.app_context(), reading() as tx:
        assert {row.full_from for row in tx.scalars(select(Authenticator))} == {None}
    sign_in(app.test_client(), key)
    assert recorded(app, "sign_in.accepted")[-1]["authenticator"] == "passkey_synced"


def test_without_the_app_the_way_back_is_as_before(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    codes = make(client)
    add_app(client, clock)
    stranger = app.test_client()
    page = visit(stranger, use(stranger, codes[0]).location)
    assert "/enrol/account" in page.text
    add_key(stranger, new_key())
    with app.app_context(), reading() as tx:
        assert sum(row.full_from is not None for row in tx.scalars(select(Authenticator))) == 1


def test_digits_are_good_once(app: Flask, client: FlaskClient, clock: StoppedClock) -> None:
    """RFC 6238 §5.2: the verifier MUST NOT accept the second attempt of the OTP."""
    enrol(client)
    codes, device = make(client), add_app(client, clock)
    digits = device.at(clock.now)
    for code in codes[:2]:
        stranger = app.test_client()
        use(stranger, code)
        answer = type_digits(stranger, digits)
    assert answer.status_code == 422
    assert recorded(app, "totp.refused")[-1]["reason"] == "used_before"


@pytest.mark.parametrize(("seconds", "status"), [(-30, 303), (30, 303), (-60, 422), (60, 422)])
def test_a_clock_may_be_wrong_by_one_step(
    app: Flask, client: FlaskClient, clock: StoppedClock, seconds: int, status: int
) -> None:
    enrol(client)
    codes, device = make(client), add_app(client, clock)
    clock.now += timedelta(minutes=2)
    stranger = app.test_client()
    use(stranger, codes[0])
    digits = device.at(clock.now + timedelta(seconds=seconds))
    assert type_digits(stranger, digits).status_code == status


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\u00b2"])
def test_what_is_no_six_digits_is_refused(
    app: Flask, client: FlaskClient, clock: StoppedClock, typed: str
) -> None:
    enrol(client)
    visit(client, "/account?ui_locales=en")
    page, _ = prepare(client)
    answer = press(client, page, "/authenticator-app/proof", code=typed)
    assert answer.status_code == 422
    assert "These are not the six digits that the app shows now." in answer.text
    assert recorded(app, "totp.refused")[0]["reason"] == "malformed"
    assert clock


def test_digits_may_be_typed_with_spaces(client: FlaskClient, clock: StoppedClock) -> None:
    enrol(client)
    page, device = prepare(client)
    digits = device.at(clock.now)
    typed = f" {digits[:3]} {digits[3:]} "
    assert press(client, page, "/authenticator-app/proof", code=typed).location == "/account"


def test_guessing_digits_becomes_slower_and_slower(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    codes = make(client)
    add_app(client, clock)
    stranger = app.test_client()
    use(stranger, codes[0])
    statuses = [type_digits(stranger, "000000").status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_whoever_came_by_a_code_alone_neither_adds_nor_removes_an_app(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    codes = make(client)
    add_app(client, clock)
    pages = {path: visit(client, path) for path in ("/authenticator-app/removal",)}
    offer = visit(client, "/authenticator-app")
    use(client, codes[0])
    for path, page in pages.items():
        assert press(client, page, path).status_code == 403
    assert press(client, offer, "/authenticator-app").status_code == 403
    assert recorded(app, "totp.removed") == []


def test_a_removed_app_is_not_asked_for(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    codes = make(client)
    add_app(client, clock)
    page = visit(client, "/authenticator-app/removal")
    assert press(client, page, "/authenticator-app/removal").location == "/account"
    assert len(recorded(app, "totp.removed")) == 1
    assert use(app.test_client(), codes[0]).location == "/enrol/account"


@pytest.mark.parametrize("path", ["/authenticator-app", "/authenticator-app/removal"])
def test_adding_and_removing_need_a_fresh_sign_in(
    client: FlaskClient, clock: StoppedClock, path: str
) -> None:
    assert visit(client, path).location == "/sign-in/account"
    enrol(client)
    page = visit(client, path)
    clock.now += timedelta(minutes=6)
    assert visit(client, path).location.startswith("/sign-in/account?again")
    assert press(client, page, path).status_code == 403


def test_erasing_the_account_erases_the_app(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    add_app(client, clock)
    press(client, visit(client, "/account/erase"), "/account/erase")
    with app.app_context(), reading() as tx:
        assert tx.scalars(select(Totp)).all() == []


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(typed=st.text(max_size=60))
def test_whatever_is_typed_is_answered(client: FlaskClient, typed: str) -> None:
    if visit(client, "/account").status_code != 200:
        enrol(client)
    page, _ = prepare(client)
    answer = press(client, page, "/authenticator-app/proof", code=typed)
    assert answer.status_code in {422, 429}
