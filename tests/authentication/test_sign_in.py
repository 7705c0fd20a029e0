import gzip
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from broker.accounts.models import Session
from broker.audit.entry import read_leaf
from broker.audit.models import AuditEntry
from broker.authentication import ceremony as ceremony_module
from broker.authentication.models import Authenticator, Challenge
from broker.db import db, reading, transaction
from broker.interaction.models import Interaction
from broker.web import cookies
from tests.authentication.authenticator import SoftAuthenticator
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.people import add_key, answer, ceremony, enrol, forms, new_key, sign_in, visit
from tests.recording import sequenced

COOKIE = "__Host-miftah_session"


def recorded(app: Flask, event: str) -> list[dict[str, Any]]:
    """The facts of every entry of this event, oldest first."""
    sequenced(app)
    with app.app_context(), reading() as tx:
        leaves = tx.scalars(
            select(AuditEntry.leaf).where(AuditEntry.event == event).order_by(AuditEntry.idx)
        )
        return [read_leaf(leaf)["facts"] for leaf in leaves]


def count(app: Flask, table: Any) -> int:
    with app.app_context(), reading() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


def park(
    app: Flask,
    client: FlaskClient,
    prompt: str = "",
    max_age: int | None = None,
    acr_values: Sequence[str] = (),
) -> str:
    """The handle of a request that waits in this browser."""
    visit(client, "/sign-in/account")
    cookie = client.get_cookie("__Host-miftah_browser", domain="broker.test")
    assert cookie is not None
    row = Interaction(
        handle="parked",
        browser=cookies.digest(cookie.value),
        asked={
            "client_id": "c",
            "client_name": {"en": "Service"},
            "purpose": {},
            "redirect_origin": "https://rp.test",
            "scope": ["openid"],
            "prompt": prompt.split(),
            "acr_values": list(acr_values),
            "max_age": max_age,
        },
        request={},
        began=app.extensions["broker"].clock(),
        expires=NOON + timedelta(days=1),
    )
    with app.app_context(), transaction() as tx:
        tx.add(row)
    return "parked"


def session_of(client: FlaskClient) -> str | None:
    cookie = client.get_cookie(COOKIE, domain="broker.test")
    return cookie.value if cookie else None


def refused(client: FlaskClient, key: SoftAuthenticator, handle: str = "account") -> str:
    """The page that refuses a sign-in with this key."""
    form = ceremony(visit(client, f"/sign-in/{handle}"))
    response = answer(client, form, key.get(form.options))
    assert response.status_code == 422
    assert ceremony(response).options["challenge"] != form.options["challenge"]
    return response.text


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """Another browser."""
    return app.test_client()


# The page


def test_the_page_asks_for_any_key_and_offers_to_create_an_access(client: FlaskClient) -> None:
    page = visit(client, "/sign-in/account")
    assert page.status_code == 200
    assert ceremony(page).options["rpId"] == "broker.test"
    assert 'href="/enrol/account"' in page.text
    assert 'autocomplete="username webauthn"' in page.text
    assert "<noscript>" in page.text


def test_the_page_has_no_script_of_its_own_but_one_module(client: FlaskClient) -> None:
    page = visit(client, "/sign-in/account")
    assert page.text.count("<script") == 1
    script = page.text.split('<script type="module" src="')[1].split('"')[0]
    with visit(client, script) as served:
        assert served.status_code == 200
        assert "immutable" in served.headers["Cache-Control"]
        assert len(gzip.compress(served.data)) <= 4096


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "Se connecter"), ("ar", "تسجيل الدخول"), ("en", "Sign in")]
)
def test_the_page_speaks(client: FlaskClient, language: str, words: str) -> None:
    page = visit(client, f"/sign-in/account?ui_locales={language}")
    assert f"<h1>{words}</h1>" in page.text


def test_who_is_signed_in_goes_on_at_once(client: FlaskClient) -> None:
    enrol(client)
    page = visit(client, "/sign-in/account")
    assert (page.status_code, page.location) == (303, "/account")


def test_an_unknown_visit_is_over(client: FlaskClient) -> None:
    assert visit(client, "/sign-in/nowhere").status_code == 404


def test_another_browsers_visit_is_over(app: Flask, client: FlaskClient) -> None:
    handle = park(app, client)
    assert visit(app.test_client(), f"/sign-in/{handle}").status_code == 404


# Accepted


def test_the_key_opens_a_session_and_the_person_goes_on(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    key = enrol(client)
    handle = park(app, stranger)
    response = sign_in(stranger, key, handle)
    assert response.location == f"/authorize/{handle}"
    (accepted,) = recorded(app, "sign_in.accepted")
    assert accepted.keys() == {"account", "key", "authenticator"}
    assert accepted["authenticator"] == "passkey_synced"


def test_a_sign_in_is_noted_on_the_key(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    key = enrol(client)
    clock.forward(minutes=7)
    sign_in(client, key, query="?again=1")
    with app.app_context(), reading() as tx:
        (row,) = tx.scalars(select(Authenticator)).all()
        assert (row.sign_count, row.last_used) == (1, clock.now)


def test_a_session_cookie_is_new_at_every_sign_in_and_the_old_one_dies(
    app: Flask, client: FlaskClient
) -> None:
    key = enrol(client)
    before = session_of(client)
    sign_in(client, key, query="?again=1")
    assert session_of(client) != before
    assert count(app, Session) == 1


def test_a_planted_session_cookie_is_not_taken_over(
    client: FlaskClient, stranger: FlaskClient
) -> None:
    key = enrol(client)
    stranger.set_cookie(COOKIE, "planted", domain="broker.test")
    sign_in(stranger, key)
    assert session_of(stranger) not in {None, "planted"}


@pytest.mark.parametrize(
    ("prompt", "max_age"), [("login", None), ("select_account", None), ("", 0)]
)
def test_a_key_is_asked_for_again_once_where_the_request_says_so(
    app: Flask, client: FlaskClient, clock: StoppedClock, prompt: str, max_age: int | None
) -> None:
    key = enrol(client)
    clock.forward(minutes=1)
    handle = park(app, client, prompt, max_age)
    sign_in(client, key, handle)
    assert visit(client, f"/sign-in/{handle}").location == f"/authorize/{handle}"


# Confirming that it is them


def test_confirming_asks_for_the_persons_own_keys_only(client: FlaskClient) -> None:
    key = enrol(client)
    options = ceremony(visit(client, "/sign-in/account?again=1")).options
    assert len(options["allowCredentials"]) == len(key.credentials) == 1


def test_another_persons_key_confirms_nothing(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    enrol(client)
    other = enrol(stranger)
    before = session_of(client)
    form = ceremony(visit(client, "/sign-in/account?again=1"))
    response = answer(client, form, other.get({**form.options, "allowCredentials": []}))
    assert response.status_code == 422
    assert recorded(app, "sign_in.refused")[-1]["reason"] == "another_account"
    assert session_of(client) == before


def test_again_without_a_session_is_an_ordinary_sign_in(client: FlaskClient) -> None:
    page = visit(client, "/sign-in/account?again=1")
    assert ceremony(page).options["allowCredentials"] == []


# Refused


def test_a_refusal_is_recorded_and_the_page_asks_again(app: Flask, client: FlaskClient) -> None:
    key = enrol(client)
    page = refused(app.test_client(), key.with_wrong(origin="https://evil.example"))
    assert 'role="alert"' in page
    (refusal,) = recorded(app, "sign_in.refused")
    assert refusal["reason"] == "origin"
    assert count(app, Session) == 1


def test_an_unknown_key_is_told_so_only_if_all_else_is_right(
    app: Flask, client: FlaskClient
) -> None:
    enrol(client)
    unknown = new_key()
    unknown.create(ceremony(visit(app.test_client(), "/enrol/account")).options)
    page = refused(app.test_client(), unknown)
    assert "ne connaissons pas" in page
    assert [r["reason"] for r in recorded(app, "sign_in.refused")] == ["key_unknown"]
    wrong = unknown.with_wrong(origin="https://evil.example")
    assert "ne connaissons pas" not in refused(app.test_client(), wrong)


def test_a_bad_answer_looks_the_same_whether_the_key_is_known_or_not(
    app: Flask, client: FlaskClient
) -> None:
    key = enrol(client)
    unknown = new_key()
    unknown.create(ceremony(visit(app.test_client(), "/enrol/account")).options)
    wrong: dict[str, Any] = {"flags": lambda f: f & ~0x04}
    pages = [refused(app.test_client(), k.with_wrong(**wrong)) for k in (key, unknown)]
    assert [_told(page) for page in pages] == [_told(pages[0])] * 2


def _told(page: str) -> str:
    return page.split("<main")[1].split("<form", maxsplit=1)[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_handle": b"x" * 32},
        {"user_handle": None},
        {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
        {"flags": lambda f: f | 0x08},
    ],
)
def test_a_wrong_answer_opens_nothing(
    app: Flask, client: FlaskClient, stranger: FlaskClient, wrong: dict[str, Any]
) -> None:
    key = enrol(client)
    refused(stranger, key.with_wrong(**wrong))
    assert session_of(stranger) is None
    assert recorded(app, "sign_in.refused")[0].keys() == {"account", "key", "reason"}


def test_a_cloned_key_is_refused_and_recorded(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    key = enrol(client)
    sign_in(client, key, query="?again=1")
    refused(stranger, key.with_wrong(sign_count=1))
    assert recorded(app, "sign_in.refused")[0]["reason"] == "counter_not_risen"


def test_a_counter_moved_by_another_sign_in_meanwhile_is_refused(
    app: Flask, client: FlaskClient, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = enrol(client)
    honest = ceremony_module.verify_assertion

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        verified = honest(*args, **kwargs)
        moved = update(Authenticator).values(sign_count=5)
        db.session.execute(moved.execution_options(synchronize_session=False))
        return verified

    monkeypatch.setattr("broker.authentication.signing_in.verify_assertion", overtaken)
    refused(stranger, key)
    assert recorded(app, "sign_in.refused")[0]["reason"] == "counter_not_risen"


def test_an_empty_answer_says_that_the_script_did_not_run(
    client: FlaskClient,
) -> None:
    form = ceremony(visit(client, "/sign-in/account"))
    response = answer(client, form, "")
    assert response.status_code == 422
    assert "JavaScript" in _told(response.text).split("<noscript>")[0]


def test_an_answer_that_is_too_large_is_refused_unread(client: FlaskClient) -> None:
    form = ceremony(visit(client, "/sign-in/account"))
    assert answer(client, form, "x" * 65_537).status_code == 413


def test_a_form_of_another_site_is_refused(client: FlaskClient) -> None:
    key = enrol(client)
    form = ceremony(visit(client, "/sign-in/account?again=1"))
    del form.fields["csrf_token"]
    assert answer(client, form, key.get(form.options)).status_code == 403


# Challenges


def _answered(client: FlaskClient, key: SoftAuthenticator) -> tuple[Any, str]:
    form = ceremony(visit(client, "/sign-in/account"))
    return form, json.dumps(key.get(form.options))


def test_an_answer_counts_once(client: FlaskClient, stranger: FlaskClient) -> None:
    form, text = _answered(stranger, enrol(client))
    assert answer(stranger, form, text).status_code == 303
    assert answer(stranger, form, text).status_code == 422


def test_a_refused_answer_spends_its_challenge(client: FlaskClient, stranger: FlaskClient) -> None:
    form, text = _answered(stranger, enrol(client))
    assert answer(stranger, form, "{}").status_code == 422
    assert answer(stranger, form, text).status_code == 422


def test_a_challenge_ends(
    app: Flask, client: FlaskClient, stranger: FlaskClient, clock: StoppedClock
) -> None:
    form, text = _answered(stranger, enrol(client))
    clock.forward(minutes=10)
    assert answer(stranger, form, text).status_code == 422
    assert recorded(app, "sign_in.refused")[0]["reason"] == "challenge_spent"


def test_a_challenge_may_be_answered_until_it_ends(
    client: FlaskClient, stranger: FlaskClient, clock: StoppedClock
) -> None:
    form, text = _answered(stranger, enrol(client))
    clock.forward(minutes=9, seconds=59)
    assert answer(stranger, form, text).status_code == 303


def test_a_challenge_belongs_to_one_browser(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    form, text = _answered(stranger, enrol(client))
    thief = app.test_client()
    own = ceremony(visit(thief, "/sign-in/account"))
    form.fields["csrf_token"] = own.fields["csrf_token"]
    assert answer(thief, form, text).status_code == 422


def test_a_challenge_belongs_to_one_visit(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    key = enrol(client)
    handle = park(app, stranger)
    form, text = _answered(stranger, key)
    form.action = f"/sign-in/{handle}"
    assert answer(stranger, form, text).status_code == 422


def test_a_challenge_belongs_to_one_purpose(client: FlaskClient, stranger: FlaskClient) -> None:
    key = enrol(client)
    form = ceremony(visit(stranger, "/enrol/account"))
    form.action = "/sign-in/account"
    asked = {**form.options, "allowCredentials": []}
    assert answer(stranger, form, key.get(asked)).status_code == 422


def test_a_challenge_of_our_own_making_is_needed(
    client: FlaskClient, stranger: FlaskClient
) -> None:
    key = enrol(client)
    form = ceremony(visit(stranger, "/sign-in/account"))
    form.fields["challenge"] = form.options["challenge"] = "A" * 43
    assert answer(stranger, form, key.get(form.options)).status_code == 422


@pytest.mark.parametrize("value", ["", "\x00", "x" * 100])
def test_what_is_no_challenge_comes_too_late(client: FlaskClient, value: str) -> None:
    form = ceremony(visit(client, "/sign-in/account"))
    form.fields["challenge"] = value
    assert answer(client, form, "{}").status_code == 422


def test_challenges_that_are_over_are_swept_away(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    for _ in range(3):
        visit(client, "/sign-in/account")
    clock.forward(hours=1)
    visit(client, "/sign-in/account")
    assert count(app, Challenge) == 1


def _windows(client: FlaskClient, number: int) -> list[FlaskClient]:
    """Windows of the same browser, for threads of their own."""
    windows = [client.application.test_client() for _ in range(number)]
    for name in ("__Host-miftah_browser", COOKIE):
        if cookie := client.get_cookie(name, domain="broker.test"):
            for window in windows:
                window.set_cookie(name, cookie.value, domain="broker.test")
    return windows


def at_once(client: FlaskClient, deed: Callable[[FlaskClient, int], int]) -> list[int]:
    """What two windows of one browser get for a deed in the same moment, sorted."""
    start = Barrier(2)

    def run(window: FlaskClient, number: int) -> int:
        start.wait()
        return deed(window, number)

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(run, _windows(client, 2), range(2)))


def test_of_two_answers_at_the_same_moment_one_counts(disk_app: Flask) -> None:
    key = enrol(disk_app.test_client())
    browser = disk_app.test_client()
    form, text = _answered(browser, key)
    assert at_once(browser, lambda w, _: answer(w, form, text).status_code) == [303, 422]


def test_of_two_new_keys_with_one_name_at_the_same_moment_one_counts(disk_app: Flask) -> None:
    browser = disk_app.test_client()
    pages = [ceremony(visit(browser, "/enrol/account")) for _ in range(2)]
    same = new_key().with_wrong(credential_id=b"s" * 32)
    sent = [(form, same.create({**form.options, "excludeCredentials": []})) for form in pages]
    assert at_once(browser, lambda w, n: answer(w, *sent[n]).status_code) == [303, 422]
    assert count(disk_app, Authenticator) == 1


def test_two_keys_removed_at_the_same_moment_leave_one(disk_app: Flask) -> None:
    browser = disk_app.test_client()
    enrol(browser)
    add_key(browser, new_key())
    page = visit(browser, "/account")
    keys = re.findall(r'href="/keys/([^/]+)/removal"', page.text)
    fields = {"csrf_token": forms(page.text)[0].fields["csrf_token"]}

    def remove(window: FlaskClient, number: int) -> int:
        path = f"/keys/{keys[number]}/removal"
        return window.post(path, data=fields, base_url=ISSUER).status_code

    assert at_once(browser, remove) == [303, 409]
    assert count(disk_app, Authenticator) == 1


# Whatever is sent


def _nothing_breaks(client: FlaskClient, path: str, text: str) -> None:
    response = answer(client, ceremony(visit(client, path)), text)
    assert response.status_code in {303, 413, 422}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=200) | st.dictionaries(st.text(max_size=9), st.text()).map(json.dumps))
def test_any_text_for_an_answer_gets_a_page(client: FlaskClient, text: str) -> None:
    client.application.extensions.pop("authentication_limits", None)
    _nothing_breaks(client, "/sign-in/account", text)
    _nothing_breaks(client, "/enrol/account", text)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_mutated_answer_gets_a_page(client: FlaskClient, data: st.DataObject) -> None:
    client.application.extensions.pop("authentication_limits", None)
    path = data.draw(st.sampled_from(["/enrol/account", "/sign-in/account"]))
    place, cut = data.draw(st.integers(0, 2000)), data.draw(st.integers(0, 3))
    put = data.draw(st.text(max_size=3) | st.sampled_from(["null", "[]", "{}", '"', "A", "_", "0"]))
    form = ceremony(visit(client, path))
    text = _enrolment(form.options) if path.startswith("/enrol") else _use(form.options)
    at = place % len(text)
    response = answer(client, form, text[:at] + put + text[at + cut :])
    assert response.status_code in {303, 422}
    client.delete_cookie(COOKIE, domain="broker.test")


def _enrolment(options: dict[str, Any]) -> str:
    return json.dumps(new_key().create(options))


def _use(options: dict[str, Any]) -> str:
    key = new_key()
    key.create({**options, "excludeCredentials": [], "user": {"id": "AAAA"}})
    return json.dumps(key.get(options))
