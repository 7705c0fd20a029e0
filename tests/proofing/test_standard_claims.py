"""Claims about the person that evidence supports, and those asked for by name."""

from datetime import date
from typing import Any

import pytest

from broker.proofing.standard_claims import (
    VERIFIABLE,
    birthdate,
    document,
    nationalities,
    standard,
    verifiable,
)
from tests.conftest import ISSUER
from tests.proofing.pieces import PASSPORT, evidence, tell

DOCUMENT = f"{ISSUER}/claims/document"


def test_a_profile_says_what_the_document_says() -> None:
    assert standard(evidence(**PASSPORT)) == {
        "name": "ANNA MARIA ERIKSSON",
        "family_name": "ERIKSSON",
        "given_name": "ANNA MARIA",
        "birthdate": "1974-08-12",
        "gender": "female",
    }


def test_what_the_document_does_not_say_is_not_named() -> None:
    assert standard(evidence(family_name="MONONYM")) == {
        "name": "MONONYM",
        "family_name": "MONONYM",
    }
    assert standard(evidence()) == {}
    assert nationalities(evidence()) == ()


def test_a_sex_that_core_does_not_know_is_not_named() -> None:
    assert standard(evidence(gender="X")) == {}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("1974-08-12", "1974-08-12"),
        ("1974-08-00", "1974"),
        ("1974-00-00", "1974"),
        ("1974-00-12", "1974"),
        ("0000-08-12", "0000-08-12"),
        ("0000-08-00", None),
        ("0000-00-00", None),
        (None, None),
    ],
)
def test_an_incomplete_date_of_birth_is_told_as_core_allows_or_not_at_all(
    written: str | None, told: str | None
) -> None:
    assert birthdate(written) == told


def test_the_document_is_told_with_its_own_scope_only() -> None:
    assert DOCUMENT not in tell(evidence(**PASSPORT), scope="openid profile assurance")
    assert document(evidence(**PASSPORT)) == {
        "document_number": "L898902C3",
        "document_type": "passport",
        "issuing_state": "UTO",
        "expiry_date": "2032-04-15",
    }


def test_the_one_code_of_a_state_that_is_short_is_written_out() -> None:
    assert nationalities(evidence(nationalities="D")) == ("DEU",)
    assert nationalities(evidence(nationalities="MAR")) == ("MAR",)


def test_an_incomplete_date_of_birth_is_no_verified_claim() -> None:
    held = verifiable(evidence(**{**PASSPORT, "birthdate": "1974-08-00"}))
    assert "birthdate" not in held
    assert held["name"] == "ANNA MARIA ERIKSSON"


def test_only_claims_in_the_list_can_be_verified() -> None:
    held = verifiable(evidence(**PASSPORT))
    assert set(held) == set(VERIFIABLE)
    assert held["birthdate"] == date(1974, 8, 12)


# By name


@pytest.mark.parametrize("wish", [None, {}, {"essential": True}, {"essential": False}])
def test_a_claim_asked_for_by_name_is_told_alone(wish: Any) -> None:
    assert tell(evidence(**PASSPORT), given_name=wish) == {"given_name": "ANNA MARIA"}


@pytest.mark.parametrize("wish", [None, {"essential": True}])
@pytest.mark.parametrize("name", ["email", "gender", "nationalities", "no such claim ☃", ""])
def test_a_claim_that_nobody_knows_is_left_out_essential_or_not(name: str, wish: Any) -> None:
    assert tell(evidence(family_name="MONONYM"), **{name: wish}) == {}


@pytest.mark.parametrize(
    ("wish", "is_told"),
    [
        ({"value": "ERIKSSON"}, True),
        ({"value": "ERIKSSON", "essential": True}, True),
        ({"values": ["HANSSON", "ERIKSSON"]}, True),
        ({"value": "HANSSON"}, False),
        ({"value": "HANSSON", "essential": True}, False),
        ({"values": ["HANSSON"]}, False),
        ({"value": "ERIKSSON", "values": ["HANSSON"]}, False),
        ({"value": None}, False),
        ({"value": True}, False),
        ({"values": "ERIKSSON"}, False),
        ({"max_age": 1}, False),
        ("ERIKSSON", False),
    ],
)
def test_a_claim_of_another_value_than_asked_is_left_out(wish: Any, is_told: bool) -> None:
    told = tell(evidence(**PASSPORT), family_name=wish)
    assert told == ({"family_name": "ERIKSSON"} if is_told else {})


def test_a_value_that_is_a_list_is_asked_for_as_one() -> None:
    assert tell(evidence(**PASSPORT), nationalities=None) == {"nationalities": ["UTO"]}
    assert tell(evidence(**PASSPORT), nationalities={"value": ["UTO"]}) != {}
    assert tell(evidence(**PASSPORT), nationalities={"value": ["MAR"]}) == {}


def test_a_scope_does_not_tell_what_a_name_forbids() -> None:
    told = tell(evidence(**PASSPORT), scope="profile", family_name={"value": "HANSSON"})
    assert "family_name" not in told
    assert told["given_name"] == "ANNA MARIA"


def test_the_document_may_be_asked_for_by_name_and_whole() -> None:
    whole: dict[str, Any] = {DOCUMENT: None}
    required: dict[str, Any] = {DOCUMENT: {"value": {"document_number": "X"}}}
    assert set(tell(evidence(**PASSPORT), **whole)) == {DOCUMENT}
    assert tell(evidence(**PASSPORT), **required) == {}


def test_nationality_is_told_by_name_only() -> None:
    everything = tell(evidence("eidas_high", **PASSPORT), scope="profile document assurance")
    assert "nationalities" not in everything
    assert "nationalities" not in everything["verified_claims"]["claims"]


def test_the_personal_number_is_never_told() -> None:
    everything = tell(
        evidence("eidas_high", **PASSPORT),
        scope="profile document assurance",
        personal_number=None,
        verified_claims={
            "verification": {"trust_framework": None},
            "claims": {"personal_number": None},
        },
    )
    assert "ZE184226B" not in str(everything)
