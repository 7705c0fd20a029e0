"""The cookies: what the browser may do with them, and what is believed when they come back."""

from dataclasses import replace
from http.cookies import Morsel, SimpleCookie

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from broker.app import create_app
from broker.db import db
from broker.web import cookies
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.web.conftest import see


def sent(answer: TestResponse) -> dict[str, Morsel[str]]:
    jar: dict[str, Morsel[str]] = {}
    for line in answer.headers.getlist("Set-Cookie"):
        jar |= SimpleCookie(line)
    return jar


def given(app: Flask, cookie: str, value: str) -> TestResponse:
    def give() -> str:
        cookies.write(cookie, value)
        return cookies.read(cookie) or "nothing"

    app.add_url_rule("/give", "give", give)
    client = app.test_client()
    client.set_cookie(f"__Host-{cookie}", "old", domain="broker.test")
    return see(client, "/give")


@pytest.mark.parametrize("cookie", [cookies.BROWSER, cookies.SESSION, cookies.LANGUAGE])
def test_a_cookie_is_for_this_host_by_https_and_for_no_script(app: Flask, cookie: str) -> None:
    morsel = sent(given(app, cookie, "x"))[f"__Host-{cookie}"]
    assert (morsel["secure"], morsel["httponly"]) == (True, True)
    assert (morsel["samesite"], morsel["path"], morsel["domain"]) == ("Lax", "/", "")


@pytest.mark.parametrize("cookie", [cookies.BROWSER, cookies.SESSION])
def test_it_ends_with_the_browser(app: Flask, cookie: str) -> None:
    morsel = sent(given(app, cookie, "x"))[f"__Host-{cookie}"]
    assert (morsel["max-age"], morsel["expires"]) == ("", "")


def test_only_the_language_is_remembered_for_a_year(app: Flask) -> None:
    morsel = sent(given(app, cookies.LANGUAGE, "x"))[f"__Host-{cookies.LANGUAGE}"]
    assert morsel["max-age"] == "31536000"


def test_removing_a_cookie_empties_it_with_the_same_flags(app: Flask) -> None:
    morsel = sent(given(app, cookies.SESSION, ""))[f"__Host-{cookies.SESSION}"]
    assert (morsel.value, morsel["max-age"]) == ("", "0")
    assert (morsel["secure"], morsel["path"]) == (True, "/")


def test_a_cookie_just_written_is_read_in_the_same_request(app: Flask) -> None:
    assert given(app, cookies.SESSION, "new").text == "new"


def test_a_cookie_just_removed_is_gone_in_the_same_request(app: Flask) -> None:
    assert given(app, cookies.SESSION, "").text == "nothing"


def test_by_http_on_this_machine_cookies_have_plain_names(tools: Tools) -> None:
    plain = tools.settings.model_copy(update={"issuer": "http://localhost:8000"})
    app = create_app(replace(tools, settings=plain))
    morsel = sent(app.test_client().get("/?ui_locales=ar"))["miftah_language"]
    assert morsel["secure"] == ""
    with app.app_context():
        db.engine.dispose()


def test_a_page_without_a_form_gives_no_cookie(client: FlaskClient) -> None:
    assert sent(see(client, "/")) == {}


def test_a_browser_is_named_once(client: FlaskClient) -> None:
    assert set(sent(see(client, "/form"))) == {"__Host-miftah_browser"}
    assert sent(see(client, "/form")) == {}


@pytest.mark.parametrize("name", ["short", "x" * 65, "y" * 8000])
def test_a_browser_cannot_choose_a_name_of_any_length(app: Flask, name: str) -> None:
    client = app.test_client(use_cookies=False)
    answer = see(client, "/form", Cookie=f"__Host-miftah_browser={name}")
    assert len(sent(answer)["__Host-miftah_browser"].value) == 43


def test_the_plain_cookie_that_a_sibling_host_may_plant_is_not_believed(
    client: FlaskClient,
) -> None:
    client.set_cookie("miftah_language", "ar", domain="broker.test")
    assert '<html lang="en"' in see(client, "/").text


def test_what_is_stored_of_a_secret_is_its_digest_only() -> None:
    assert cookies.digest("secret") != b"secret"
    assert len(cookies.digest("secret")) == 32


@pytest.mark.parametrize("junk", ["\x00", "=;=;", "é" * 500, "a" * 60_000])
def test_junk_for_cookies_harms_nothing(app: Flask, junk: str) -> None:
    raw = f"__Host-miftah_session={junk}; __Host-miftah_language={junk}"
    answer = app.test_client(use_cookies=False).get(
        "/account", base_url=ISSUER, environ_overrides={"HTTP_COOKIE": raw}
    )
    assert answer.status_code == 303
