import pytest
from flask import Flask

from broker.web import shown


def in_language(app: Flask, language: str, claim: str, text: str) -> str:
    with app.test_request_context(f"/?ui_locales={language}"):
        return shown.value(claim, text)


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("en", "1974-08-12", "12 August 1974"),
        ("fr", "1974-08-12", "12 août 1974"),
        ("ar", "1974-08-12", "12 غشت 1974"),
        ("en", "1974-08-00", "August 1974"),
        ("en", "0000-08-12", "12 August"),
        ("en", "0000-02-29", "29 February"),
        ("en", "1974-00-00", "1974"),
        ("en", "1974", "1974"),
        ("en", "0000-00-00", "not known"),
        ("fr", "0000-00-00", "non connue"),
        ("en", "0000-08-00", "not known"),
    ],
)
def test_a_date_is_written_out_as_far_as_it_is_known(
    app: Flask, language: str, text: str, words: str
) -> None:
    assert in_language(app, language, "birthdate", text) == words


@pytest.mark.parametrize(
    ("language", "code", "name"),
    [
        ("fr", "MAR", "Maroc (MAR)"),
        ("ar", "MAR", "المغرب (MAR)"),
        ("en", "D", "Germany (D)"),
        ("en", "UTO", "UTO"),
        ("en", "XXA", "XXA"),
    ],
)
def test_a_state_is_named_where_it_has_a_name(
    app: Flask, language: str, code: str, name: str
) -> None:
    assert in_language(app, language, "issuing_state", code) == name


def test_codes_become_words_and_other_values_stay(app: Flask) -> None:
    assert in_language(app, "fr", "gender", "female") == "féminin"
    assert in_language(app, "ar", "document_type", "passport") == "جواز سفر"
    assert in_language(app, "ar", "family_name", "male") == "male"


def test_a_place_in_a_zone_is_translated_and_any_other_is_not(app: Flask) -> None:
    with app.test_request_context("/?ui_locales=fr"):
        assert shown.place("line 2, 14–19") == "ligne 2, positions \u206814–19\u2069"
        assert shown.place("2 × 44") == "2 × 44"


def test_a_level_of_somebody_elses_policy_shows_its_label(app: Flask) -> None:
    with app.test_request_context("/?ui_locales=fr"):
        assert (shown.level("declared"), shown.level("splendid")) == ("déclaré", "splendid")
        assert shown.meaning("splendid") == ""
        assert shown.label("guild") == "guild"


@pytest.mark.parametrize(
    ("language", "source", "words"),
    [
        ("fr", "line 2, 21", "ligne 2, position \u206821\u2069"),
        ("fr", "line 2, 14–19", "ligne 2, positions \u206814–19\u2069"),
        ("ar", "line 2, 21", "السطر 2، الموضع \u206821\u2069"),
        ("en", "the issuer's answer", "the issuer's answer"),
    ],
)
def test_a_place_is_told_as_people_count(
    app: Flask, language: str, source: str, words: str
) -> None:
    with app.test_request_context(f"/?ui_locales={language}"):
        assert shown.place(source) == words
