import pytest
from flask import Flask

from broker.app import verifiers
from broker.identity.evidence import Check, Claim, Evidence, Outcome
from broker.identity.words import PLACE, UNKNOWN
from broker.proofing.words import CHECKS, checks, rows
from broker.web.locale import catalogue
from broker.web.tools import Tools
from tests.conftest import NOON


@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("sentence", [*CHECKS.values(), PLACE, UNKNOWN])
def test_every_sentence_of_the_tables_is_translated(language: str, sentence: str) -> None:
    assert catalogue(language).gettext(sentence) != sentence


def test_every_property_that_a_door_establishes_has_words(tools: Tools) -> None:
    for verifier in verifiers(tools):
        for proved in verifier.establishes:
            assert (proved, Outcome.PASSED) in CHECKS, proved


def test_a_check_without_words_is_shown_by_its_own_name(app: Flask) -> None:
    evidence = Evidence("k", (), (Check("m", "aura", Outcome.FAILED),), NOON)
    with app.test_request_context("/?ui_locales=en"):
        assert checks(evidence, Outcome.FAILED) == ["aura: failed"]
        assert checks(evidence, Outcome.PASSED) == []


def test_fields_stand_in_the_order_of_pages_whatever_the_document_does(app: Flask) -> None:
    named = ("aura", "birthdate", "family_name")
    evidence = Evidence("k", tuple(Claim(n, "1974-00-00", "seal") for n in named), (), NOON)
    with app.test_request_context("/?ui_locales=en"):
        assert rows(evidence) == [
            ("Family name", "1974-00-00", "seal"),
            ("Date of birth", "1974", "seal"),
            ("aura", "1974-00-00", "seal"),
        ]
