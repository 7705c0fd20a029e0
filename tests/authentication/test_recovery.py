import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from broker.accounts.models import Session
from broker.authentication import recovery_code
from broker.authentication.models import Authenticator, RecoveryCode
from broker.db import reading
from broker.errors import EvidenceRejected
from tests.authentication.test_keeping import _key_ids, _send
from tests.authentication.test_sign_in import count, park, recorded
from tests.conftest import ISSUER, StoppedClock
from tests.people import add_key, answer, ceremony, enrol, forms, new_key, sign_in, visit


def make(client: FlaskClient) -> list[str]:
    """The codes of a fresh sheet."""
    (form,) = (f for f in forms(visit(client, "/recovery-codes/account").text) if f.action)
    response = client.post(form.action, data=form.fields, base_url=ISSUER)
    assert response.status_code == 200
    return re.findall(r'dir="ltr">([^<]+)</bdi>', response.text)


def use(client: FlaskClient, code: str, handle: str = "account") -> TestResponse:
    """The answer to a recovery code."""
    (form,) = (f for f in forms(visit(client, f"/recovery/{handle}").text) if "code" in f.fields)
    return client.post(form.action, data={**form.fields, "code": code}, base_url=ISSUER)


def authenticators(app: Flask) -> list[str]:
    with app.app_context(), reading() as tx:
        return list(tx.scalars(select(Session.authenticator)).all())


# The codes


@given(st.binary(min_size=8, max_size=8))
def test_a_code_is_read_back_however_it_is_written(octets: bytes) -> None:
    code = recovery_code.mint(lambda _: octets)
    sheet = recovery_code.written(code)
    assert re.fullmatch("(?:[0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}", sheet)
    for typed in (sheet, sheet.lower(), code, f" {sheet} ", sheet.replace("0", "o")):
        assert recovery_code.parse(typed) == code
    assert recovery_code.parse(code.replace("1", "l")) == code


@given(st.text())
def test_whatever_is_typed_is_a_code_or_refused(typed: str) -> None:
    with suppress(EvidenceRejected):
        assert len(recovery_code.parse(typed)) == 12


def test_sixty_bits_make_different_codes() -> None:
    highest = recovery_code.mint(lambda n: b"\xff" * n)
    assert highest == "Z" * 12
    assert recovery_code.mint(lambda n: bytes(n - 1) + b"\x01") == "0" * 11 + "1"


def test_a_digest_needs_the_secret_of_the_house() -> None:
    assert recovery_code.digest("0" * 12, b"a" * 32) != recovery_code.digest("0" * 12, b"b" * 32)


# Making a sheet


def test_a_sheet_has_ten_codes_and_none_is_stored(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    codes = make(client)
    assert len(set(codes)) == 10
    with app.app_context(), reading() as tx:
        kept = b"".join(tx.scalars(select(RecoveryCode.digest)).all())
    assert all(code.replace("-", "").encode() not in kept for code in codes)
    assert codes[0] not in visit(client, "/recovery-codes/account").text
    (entry,) = recorded(app, "recovery.prepared")
    assert entry.keys() == {"account", "codes"}


def test_the_codes_are_offered_beside_the_second_key(app: Flask, client: FlaskClient) -> None:
    handle = park(app, client)
    enrol(client, handle)
    page = visit(client, f"/enrol/{handle}/second").text
    assert f'href="/recovery-codes/{handle}"' in page
    assert f'href="/authorize/{handle}"' in visit(client, f"/recovery-codes/{handle}").text


def test_a_new_sheet_makes_the_old_one_worthless(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    old, new = make(client), make(client)
    assert use(app.test_client(), old[0]).status_code == 422
    assert use(app.test_client(), new[0]).status_code == 303
    assert count(app, RecoveryCode) == 10


def test_making_a_sheet_needs_a_recent_sign_in(client: FlaskClient, clock: StoppedClock) -> None:
    assert visit(client, "/recovery-codes/account").location == "/sign-in/account?again=1"
    enrol(client)
    clock.forward(minutes=5)
    assert visit(client, "/recovery-codes/account").location == "/sign-in/account?again=1"
    assert _send(client, "/recovery-codes/account") == 403


def test_nobody_is_made_no_sheet(app: Flask, client: FlaskClient) -> None:
    token = forms(visit(client, "/sign-in/account").text)[0].fields["csrf_token"]
    data = {"csrf_token": token}
    assert client.post("/recovery-codes/account", data=data, base_url=ISSUER).status_code == 404
    assert count(app, RecoveryCode) == 0


# Coming in


def test_a_code_opens_a_session_that_reaches_contact_only(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    code = make(client)[0]
    other = app.test_client()
    assert use(other, code.lower()).location == "/enrol/account"
    assert authenticators(app) == ["access_code"]
    (entry,) = recorded(app, "recovery.used")
    assert (entry["left"], entry["sessions"]) == (9, 1)
    assert visit(client, "/account").status_code == 303


def test_a_code_opens_once(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    code = make(client)[0]
    assert use(app.test_client(), code).status_code == 303
    again = use(app.test_client(), code)
    assert again.status_code == 422
    assert "déjà" in again.text
    assert [r["reason"] for r in recorded(app, "recovery.refused")] == ["unknown_or_used"]


def test_of_ten_uses_at_the_same_moment_one_counts(disk_app: Flask) -> None:
    client = disk_app.test_client()
    enrol(client)
    code, gate = make(client)[0], Barrier(10)

    def attempt(_: int) -> int:
        browser = disk_app.test_client()
        (form,) = (f for f in forms(visit(browser, "/recovery/account").text) if "code" in f.fields)
        gate.wait()
        data = {**form.fields, "code": code}
        return browser.post(form.action, data=data, base_url=ISSUER).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(attempt, range(10)))
    assert sorted(statuses) == [303] + [422] * 9


@pytest.mark.parametrize("code", ["", "UUUU-UUUU-UUUU", "0000-0000-000", "٠" * 12, "\x00" * 12])
def test_what_is_no_code_is_refused_on_record(app: Flask, client: FlaskClient, code: str) -> None:
    response = use(client, code)
    assert response.status_code == 422
    assert [r["reason"] for r in recorded(app, "recovery.refused")] == ["malformed"]


def test_the_sign_in_page_leads_to_the_codes(app: Flask, client: FlaskClient) -> None:
    handle = park(app, client)
    assert f'href="/recovery/{handle}"' in visit(client, f"/sign-in/{handle}").text
    assert visit(client, "/recovery/unknown").status_code == 404


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_the_pages_speak(client: FlaskClient, language: str) -> None:
    enrol(client)
    for path in ("/recovery/account", "/recovery-codes/account", "/account"):
        page = visit(client, f"{path}?ui_locales={language}")
        assert page.status_code == 200
        assert f'lang="{language}"' in page.text


# Cooling


def _recovered(app: Flask, client: FlaskClient) -> tuple[FlaskClient, Any]:
    """Another browser in which a code was used and a new key enrolled, and that key."""
    enrol(client)
    code = make(client)[0]
    other, key = app.test_client(), new_key()
    use(other, code)
    form = ceremony(visit(other, "/enrol/account"))
    assert answer(other, form, key.create(form.options)).location == "/account"
    return other, key


def test_a_key_enrolled_by_a_code_counts_in_full_after_the_cooling_period(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    _, key = _recovered(app, client)
    clock.forward(hours=23, minutes=59)
    sign_in(app.test_client(), key)
    assert recorded(app, "sign_in.accepted")[-1]["authenticator"] == "access_code"
    clock.forward(minutes=1)
    sign_in(app.test_client(), key)
    assert recorded(app, "sign_in.accepted")[-1]["authenticator"] == "passkey_synced"


def test_a_key_enrolled_by_a_cooling_key_cools_too(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    _, key = _recovered(app, client)
    clock.forward(hours=23)
    browser = app.test_client()
    sign_in(browser, key)
    add_key(browser, new_key())
    with app.app_context(), reading() as tx:
        newest = tx.scalars(select(Authenticator.full_from).order_by(Authenticator.created)).all()
    assert newest[-1] is not None
    assert (newest[-1] - clock.now).total_seconds() == 24 * 3600


def test_a_found_sheet_takes_neither_keys_nor_codes_from_the_owner(
    app: Flask, client: FlaskClient
) -> None:
    thief, _ = _recovered(app, client)
    key_id = _key_ids(thief)[0]
    assert _send(thief, f"/keys/{key_id}/removal") == 403
    assert _send(thief, "/recovery-codes/account") == 403
    page = visit(thief, "/recovery-codes/account?ui_locales=en").text
    assert "your keys and codes stay as they are" in page
    assert 'action="/recovery-codes/account"' not in page
    assert (count(app, Authenticator), count(app, RecoveryCode)) == (2, 10)


def test_the_owner_sees_a_use_and_turns_the_thief_out(app: Flask, client: FlaskClient) -> None:
    owned = enrol(client)
    code = make(client)[0]
    thief = app.test_client()
    use(thief, code)
    add_key(thief, new_key())
    sign_in(client, owned)
    page = visit(client, "/account?ui_locales=en").text
    assert "A code was last used on 23 November 2026" in page
    assert "9 codes are left" in page
    assert "limited until 24 November 2026" in page
    assert _send(client, f"/keys/{_key_ids(client)[1]}/removal") == 303
    assert visit(thief, "/account").status_code == 303


def test_the_page_after_a_code_says_when_the_new_key_counts(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    use(client, make(client)[0])
    assert "after 24 hours it counts in full" in visit(client, "/enrol/account?ui_locales=en").text


def test_whoever_came_by_a_code_erases_nothing(client: FlaskClient) -> None:
    enrol(client)
    codes = make(client)
    page = visit(client, "/account/erase")
    use(client, codes[0])
    form = next(form for form in forms(page.text) if form.action == "/account/erase")
    refused = client.post(form.action, data=form.fields, base_url=ISSUER)
    assert (refused.status_code, "recovery_cooling" in refused.text) == (403, True)
    assert visit(client, "/account").status_code == 200
