"""A key that the browser makes unasked, right after its person used another one."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, expect
from werkzeug.test import TestResponse

from tests.authentication.authenticator import AT, BE, BS, UP, UV, SoftAuthenticator
from tests.authentication.test_browser import Device, _create, issuer
from tests.authentication.test_sign_in import COOKIE, recorded
from tests.conftest import ISSUER, StoppedClock
from tests.people import RP_ID, Form, answer, ceremony, enrol, forms, new_key, sign_in, visit

__all__ = ["issuer"]


def _offered(client: FlaskClient) -> Form | None:
    page = visit(client, "/account").text
    found = [form for form in forms(page) if form.action == "/keys/saved"]
    return found[0] if found else None


def _save(client: FlaskClient, form: Form, key: SoftAuthenticator) -> TestResponse:
    return answer(client, Form("/keys/saved", form.fields), key.create(form.options))


def _unattended() -> SoftAuthenticator:
    """A browser that makes a key while nobody is asked: neither present nor verified."""
    return new_key(synced=True).with_wrong(flags=lambda _: AT | BE | BS)


def test_it_joins_the_account_and_opens_it(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    form = _offered(client)
    assert form is not None
    made = _unattended()
    assert _save(client, form, made).status_code == 204
    assert recorded(app, "key.enrolled")[-1]["authenticator"] == "passkey_synced"
    used = made.with_wrong()  # now its person is asked
    assert sign_in(app.test_client(), used).location == "/account"


def test_used_it_must_say_who_is_there(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    form = _offered(client)
    assert form is not None
    made = _unattended()
    _save(client, form, made)
    for flags in (BE | BS, UP | BE | BS, UV | BE | BS):
        stranger = app.test_client()
        form = ceremony(visit(stranger, "/sign-in/account"))
        lying = made.with_wrong(flags=lambda _, f=flags: f).get(form.options)
        assert answer(stranger, form, lying).status_code == 422


def test_the_browser_is_asked_for_what_it_can_do_without_a_question(client: FlaskClient) -> None:
    key = enrol(client)
    form = _offered(client)
    assert form is not None
    asked = form.options["authenticatorSelection"]
    assert asked["userVerification"] == "preferred"
    assert asked["residentKey"] == "required"
    assert [one["id"] for one in form.options["excludeCredentials"]] == [
        ceremony(visit(client, "/enrol/account")).options["excludeCredentials"][0]["id"]
    ]
    assert len(key.credentials) == 1


def test_the_leniency_is_not_for_a_key_that_somebody_was_asked_for(client: FlaskClient) -> None:
    enrol(client)
    form = ceremony(visit(client, "/enrol/account"))
    assert _save(client, form, _unattended()).status_code == 422
    unasked = _offered(client)
    assert unasked is not None
    unasked.action = "/enrol/account"
    made = _unattended().create(unasked.options)
    assert answer(client, unasked, made).status_code == 422


def test_it_is_offered_only_right_after_a_key_was_used(
    client: FlaskClient, clock: StoppedClock
) -> None:
    enrol(client)
    clock.forward(minutes=4, seconds=59)
    form = _offered(client)
    assert form is not None
    clock.forward(seconds=1)
    assert _offered(client) is None
    refused = _save(client, form, _unattended())
    assert refused.status_code == 403


def test_a_question_is_answered_once(client: FlaskClient) -> None:
    enrol(client)
    form = _offered(client)
    assert form is not None
    _save(client, form, _unattended())
    assert _save(client, form, new_key()).status_code == 422


def test_nobody_else_answers_it(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    form = _offered(client)
    assert form is not None
    stranger = app.test_client()
    enrol(stranger)
    theirs = _offered(stranger)
    assert theirs is not None
    form.fields["csrf_token"] = theirs.fields["csrf_token"]
    assert _save(stranger, form, _unattended()).status_code == 422
    assert recorded(app, "sign_in.refused")[-1]["ceremony"] == "save"


def test_whoever_came_by_a_recovery_code_is_not_offered_one(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    sheet = visit(client, "/recovery-codes/account")
    (form,) = (f for f in forms(sheet.text) if f.action == "/recovery-codes/account")
    shown = client.post(form.action, data=form.fields, base_url=ISSUER).text
    code = shown.split('class="code" dir="ltr">')[1].split("<")[0]
    finder = app.test_client()
    (entry,) = (
        f for f in forms(visit(finder, "/recovery/account").text) if f.action == "/recovery/account"
    )
    used = finder.post(entry.action, data={**entry.fields, "code": code}, base_url=ISSUER)
    assert used.status_code == 303
    assert _offered(finder) is None


def test_nobody_who_is_not_signed_in_is_heard(app: Flask, client: FlaskClient) -> None:
    enrol(client)
    form = _offered(client)
    assert form is not None
    made = _unattended()
    client.delete_cookie(COOKIE, domain=RP_ID)
    assert _save(client, form, made).status_code == 403
    assert len(recorded(app, "key.enrolled")) == 1


@pytest.mark.parametrize(("said", "status"), [("", 422), ("{}", 422), ("x" * 70_000, 413)])
def test_what_is_no_key_is_refused(app: Flask, client: FlaskClient, said: str, status: int) -> None:
    enrol(client)
    form = _offered(client)
    assert form is not None
    assert answer(client, form, said).status_code == status
    assert len(recorded(app, "key.enrolled")) == 1


def test_too_many_are_refused(client: FlaskClient) -> None:
    enrol(client)
    form = _offered(client)
    assert form is not None
    answers = [_save(client, form, new_key()).status_code for _ in range(30)]
    assert answers[-1] == 429


# In the browser

UNASKED = """
const create = navigator.credentials.create.bind(navigator.credentials);
PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: %s });
navigator.credentials.create = async ({ mediation, ...request }) => {
  console.log(mediation);
  return create(request);
};
"""
"""Headless Chromium says that it can, and waits for a store of passkeys that it has not."""


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="fr-MA")
    yield context
    context.close()


@pytest.mark.browser
def test_after_another_device_s_key_the_browser_saves_one_of_its_own(
    context: BrowserContext, issuer: str
) -> None:
    device = Device(context, transport="usb")
    _create(device, issuer)
    device.unplug()
    device.key = device.plug(transport="internal", defaultBackupEligibility=True)
    device.set("setResponseOverrideBits", isBadUV=True, isBadUP=True)
    device.page.add_init_script(UNASKED % "true")
    device.page.goto(f"{issuer}/account")
    expect(device.page.locator('a[href$="/removal"]')).to_have_count(2)
    device.set("setResponseOverrideBits", isBadUV=False, isBadUP=False)
    context.clear_cookies(name="miftah_session")
    device.page.goto(f"{issuer}/sign-in/account")
    device.page.wait_for_url(f"{issuer}/account")
    assert set(device.said) == {"conditional"}


@pytest.mark.browser
def test_a_browser_that_cannot_is_not_asked(context: BrowserContext, issuer: str) -> None:
    device = Device(context, transport="usb")
    _create(device, issuer)
    device.page.add_init_script(UNASKED % "false")
    device.page.goto(f"{issuer}/account")
    device.page.wait_for_load_state("networkidle")
    assert device.said == []
