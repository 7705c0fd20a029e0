"""Which language an answer speaks, and how it counts and dates."""

from dataclasses import replace
from datetime import date

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from broker.app import create_app
from broker.db import db
from broker.web import locale
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.web.conftest import see

FRAME = {
    "fr": '<html lang="fr" dir="ltr">',
    "ar": '<html lang="ar" dir="rtl">',
    "en": '<html lang="en" dir="ltr">',
}


@pytest.mark.parametrize("language", FRAME)
@pytest.mark.parametrize("door", ["/", "/policy", "/privacy", "/nowhere", "/page/broken"])
def test_every_page_says_its_language_and_direction(
    client: FlaskClient, door: str, language: str
) -> None:
    assert FRAME[language] in see(client, f"{door}?ui_locales={language}").text


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("ar", "ar"),
        ("ar-MA", "ar"),
        ("AR", "ar"),
        ("de ar fr", "ar"),
        ("  fr  ", "fr"),
        ("fr-CA ar", "fr"),
    ],
)
def test_the_first_wanted_language_that_we_have_is_spoken(
    client: FlaskClient, asked: str, spoken: str
) -> None:
    assert FRAME[spoken] in see(client, f"/?ui_locales={asked}").text


@pytest.mark.parametrize(
    "asked", ["", "xx", "%00", "<script>", "../ar", "ar" * 5000, "-", "x " * 100 + "fr"]
)
def test_what_names_no_language_of_ours_changes_nothing(client: FlaskClient, asked: str) -> None:
    answer = see(client, f"/?ui_locales={asked}")
    assert FRAME["en"] in answer.text
    assert "Set-Cookie" not in answer.headers


def test_asking_is_stronger_than_the_cookie(client: FlaskClient) -> None:
    see(client, "/?ui_locales=ar")
    assert FRAME["fr"] in see(client, "/?ui_locales=fr").text


def test_the_cookie_is_stronger_than_the_browser(client: FlaskClient) -> None:
    see(client, "/?ui_locales=ar")
    assert FRAME["ar"] in see(client, "/", "fr").text


def test_a_cookie_that_names_no_language_is_ignored(client: FlaskClient) -> None:
    client.set_cookie("__Host-miftah_language", "klingon", domain="broker.test")
    assert FRAME["fr"] in see(client, "/", "fr").text


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("ar-MA,ar;q=0.9,fr;q=0.8", "ar"),
        ("de,fr;q=0.1", "fr"),
        ("fr;q=0.5,ar;q=0.9", "ar"),
        ("ar;q=0,en", "en"),
    ],
)
def test_the_browser_is_stronger_than_the_setting(
    client: FlaskClient, accepted: str, spoken: str
) -> None:
    assert FRAME[spoken] in see(client, "/", accepted).text


@pytest.mark.parametrize("accepted", ["", "*", "de", "ar;q=0", ";;;q=,", "é" * 50])
def test_the_setting_has_the_last_word(client: FlaskClient, accepted: str) -> None:
    assert FRAME["fr"] in see(client, "/", accepted).text


def test_an_operator_may_set_another_language_of_last_resort(tools: Tools) -> None:
    app = create_app(replace(tools, settings=tools.settings.model_copy(update={"locale": "ar"})))
    assert FRAME["ar"] in app.test_client().get("/", base_url=ISSUER).text
    with app.app_context():
        db.engine.dispose()


def test_a_posted_request_may_ask_for_its_language_too(client: FlaskClient) -> None:
    answer = client.post("/page/not_found", data={"ui_locales": "ar"}, base_url=ISSUER)
    assert FRAME["ar"] in answer.text


def test_the_language_of_the_page_is_marked_among_the_links(client: FlaskClient) -> None:
    text = see(client, "/", "ar").text
    assert text.count('aria-current="true"') == 1
    assert 'lang="ar" hreflang="ar" aria-current="true"' in text


def test_changing_the_language_keeps_the_rest_of_the_address(client: FlaskClient) -> None:
    text = see(client, "/?again=1&ui_locales=fr&x=%26%22").text
    assert 'href="?again=1&amp;x=%26%22&amp;ui_locales=ar"' in text


def speak(app: Flask, language: str) -> None:
    app.preprocess_request()
    g.language = language


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("fr", 0, "0 jour"),
        ("fr", 1, "1 jour"),
        ("fr", 2, "2 jours"),
        ("ar", 1, "يوم واحد"),
        ("ar", 2, "يومان"),
        ("ar", 7, "7 أيام"),
        ("ar", 30, "30 يومًا"),
        ("ar", 100, "100 يوم"),
        ("en", 1, "1 day"),
        ("en", 30, "30 days"),
    ],
)
def test_days_are_counted_as_each_language_counts(
    app: Flask, language: str, count: int, said: str
) -> None:
    with app.test_request_context("/", base_url=ISSUER):
        speak(app, language)
        assert locale.ngettext("%(num)s day", "%(num)s days", count) == said


@pytest.mark.parametrize(
    ("language", "said"),
    [("fr", "23 novembre 2026"), ("ar", "23 نونبر 2026"), ("en", "23 November 2026")],
)
def test_dates_have_month_words_and_western_digits(app: Flask, language: str, said: str) -> None:
    with app.test_request_context("/", base_url=ISSUER):
        speak(app, language)
        assert locale.format_date(date(2026, 11, 23)) == said


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"fr": "Service", "ar": "مصلحة"}, "مصلحة"),
        ({"fr": "Service"}, "Service"),
        ({}, ""),
    ],
)
def test_a_text_by_language_falls_back_to_the_first_there_is(
    app: Flask, texts: dict[str, str], said: str
) -> None:
    with app.test_request_context("/", base_url=ISSUER):
        speak(app, "ar")
        assert locale.pick(texts) == said


def test_all_rooms_speak_from_one_catalogue() -> None:
    french = locale.catalogue("fr")
    assert french.gettext("Erase my account") == "Effacer mon compte"
    assert french.gettext("There is nothing at this address.") == "Il n’y a rien à cette adresse."


@given(st.text(max_size=300))
def test_no_wish_for_a_language_is_ever_an_error(wish: str) -> None:
    assert locale._first(wish.split()) in {None, *locale.LANGUAGES}


def test_a_name_within_a_sentence_is_kept_apart_from_its_direction() -> None:
    assert locale.isolate("Anna") == "\u2068Anna\u2069"
