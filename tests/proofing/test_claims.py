import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from broker.db import reading, transaction
from broker.feature import ClaimsAsked
from broker.identity.assurance import SHIPPED, assess, read_policy
from broker.identity.evidence import Check, Claim, Evidence, Outcome
from broker.proofing import store
from broker.proofing.claims import birthdate, claims, document, said, standard, verified_claims
from tests.conftest import ISSUER, NOON
from tests.proofing.letter import CHECKS
from tests.visits import Visit

POLICY = read_policy(SHIPPED)
ALL = frozenset({"openid", "profile", "assurance", "document"})
SCHEMAS = Path(__file__).parents[3] / "shared" / "ida" / "schema"

PASSPORT = {
    "family_name": "ERIKSSON",
    "given_name": "ANNA MARIA",
    "birthdate": "1974-08-12",
    "gender": "female",
    "nationalities": "UTO",
    "document_type": "passport",
    "document_number": "L898902C3",
    "issuing_state": "UTO",
    "expiry_date": "2032-04-15",
    "personal_number": "ZE184226B",
}


def evidence(kind: str = "mrz_photo", **said_: str) -> Evidence:
    found = tuple(Claim(name, value, "line 1, 1–9") for name, value in said_.items())
    return Evidence(kind, found, CHECKS, NOON, None, "evidence-1")


def verification(piece: Evidence, scope: frozenset[str] = ALL) -> dict[str, Any]:
    made = verified_claims(piece, assess([piece], POLICY, NOON), scope, POLICY, ISSUER)
    return dict(made)


# Standard claims


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
    piece = evidence(**PASSPORT)
    without = said(piece, assess([piece], POLICY, NOON), ALL - {"document"}, POLICY, ISSUER)
    assert "L898902C3" not in json.dumps(without)
    assert document(piece) == {
        "document_number": "L898902C3",
        "document_type": "passport",
        "issuing_state": "UTO",
        "expiry_date": "2032-04-15",
    }


def test_the_personal_number_is_never_told() -> None:
    piece = evidence(**PASSPORT)
    told = said(piece, assess([piece], POLICY, NOON), ALL, POLICY, ISSUER)
    assert "ZE184226B" not in json.dumps(told)


# verified_claims


def test_a_photographed_zone_verifies_no_name() -> None:
    made = verification(evidence(**PASSPORT))
    assert made["claims"] == {}
    assert made["verification"]["assurance_level"] == "declared"
    assert "ERIKSSON" not in json.dumps(made)


def test_a_level_that_verifies_may_pass_the_name_on() -> None:
    made = verification(evidence("mrz_photo_operator", **PASSPORT))
    assert made["claims"]["family_name"] == "ERIKSSON"
    assert made["verification"]["assurance_level"] == "basic"
    assert made["verification"]["assurance_process"]["procedure"] == "mrz_photo_operator: gpg45 L1B"


def test_without_the_scope_profile_even_a_verified_name_stays_here() -> None:
    made = verification(evidence("mrz_photo_operator", **PASSPORT), frozenset({"assurance"}))
    assert made["claims"] == {}


def test_an_incomplete_date_of_birth_is_no_verified_claim() -> None:
    made = verification(evidence("mrz_photo_operator", **{**PASSPORT, "birthdate": "1974-08-00"}))
    assert "birthdate" not in made["claims"]
    assert made["claims"]["name"] == "ANNA MARIA ERIKSSON"


def test_only_checks_that_passed_are_told() -> None:
    (piece,) = verification(evidence(**PASSPORT))["verification"]["evidence"]
    assert piece["check_details"] == [{"check_method": f"{ISSUER}/check-methods/check_digits"}]


def test_arithmetic_does_not_pass_for_a_look_at_a_register() -> None:
    assert '"data"' not in json.dumps(verification(evidence(**PASSPORT)))


def test_a_registered_check_that_passed_keeps_its_name() -> None:
    chip = Evidence("chip_pa_only", (), (Check("vcrypt", "issuer", Outcome.PASSED),), NOON)
    (piece,) = verification(chip)["verification"]["evidence"]
    assert piece == {"type": "document", "check_details": [{"check_method": "vcrypt"}]}


def test_a_kind_of_document_that_ida_does_not_know_is_named_as_ours() -> None:
    (piece,) = verification(evidence(document_type="visa"))["verification"]["evidence"]
    assert piece["document_details"] == {"type": f"{ISSUER}/document-types/visa"}


def test_the_number_stands_in_the_evidence_only_if_it_was_asked_for() -> None:
    piece = evidence(**PASSPORT)
    (asked_for,) = verification(piece)["verification"]["evidence"]
    (not_asked,) = verification(piece, ALL - {"document"})["verification"]["evidence"]
    assert asked_for["document_details"]["document_number"] == "L898902C3"
    assert not_asked["document_details"] == {"type": "passport", "issuer": {"country_code": "UTO"}}


def test_the_policy_and_the_filed_evidence_are_named() -> None:
    made = verification(evidence(**PASSPORT))["verification"]
    assert made["assurance_process"]["policy"] == f"{ISSUER}/policy.json#{POLICY.version}"
    assert made["verification_process"] == "evidence-1"
    assert made["time"] == "2026-11-23T00:00:00Z"
    assert made["trust_framework"] == f"{ISSUER}/trust-framework"


def test_the_piece_that_grants_the_level_is_the_one_described() -> None:
    old = evidence("mrz_photo_operator", **PASSPORT)
    new = evidence("mrz_photo", **{**PASSPORT, "family_name": "SOMEBODY ELSE"})
    told = said(new, assess([new, old], POLICY, NOON), ALL, POLICY, ISSUER)
    assert told["family_name"] == "SOMEBODY ELSE"
    assert told["verified_claims"]["claims"]["family_name"] == "ERIKSSON"


# The schema of OpenID Identity Assurance


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    if not SCHEMAS.exists():
        pytest.skip("the developers' folder is not beside the repository")
    resources = [
        (loaded["$id"], Resource.from_contents(loaded))
        for path in SCHEMAS.glob("*.json")
        for loaded in [json.loads(path.read_text("utf-8"))]
    ]
    registry: Registry[Any] = Registry().with_resources(resources)
    (verified,) = (r.contents for i, r in resources if i.endswith("/verified_claims.json"))
    return Draft202012Validator(verified, registry=registry, format_checker=FormatChecker())


@pytest.mark.shared
def test_the_schema_refuses_what_it_should(schema: Draft202012Validator) -> None:
    assert not schema.is_valid({"verified_claims": {"verification": {}, "claims": {}}})


@pytest.mark.shared
@settings(deadline=None)  # the first validation builds the validators of three schemas
@given(
    kind=st.sampled_from(sorted(POLICY.evidence)),
    named=st.sets(st.sampled_from(sorted(PASSPORT))),
    scope=st.sets(st.sampled_from(sorted(ALL))),
    born=st.sampled_from(["1974-08-12", "1974-08-00", "0000-08-12", "0000-00-00"]),
)
def test_whatever_we_tell_fits_the_schema_and_holds_no_null(
    schema: Draft202012Validator, kind: str, named: set[str], scope: set[str], born: str
) -> None:
    piece = evidence(
        kind, **{n: v for n, v in {**PASSPORT, "birthdate": born}.items() if n in named}
    )
    told = said(piece, assess([piece], POLICY, NOON), frozenset(scope), POLICY, ISSUER)
    schema.validate(told)
    assert None not in list(leaves(told))
    assert "" not in list(leaves(told))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        assert value, "an empty list says nothing"
        for item in value:
            yield from leaves(item)
    else:
        yield value


# The room's answer


def told(visit: Visit, scope: frozenset[str], days: int = 0) -> Any:
    with visit.app.app_context(), reading() as tx:
        return claims(tx, visit.account, ClaimsAsked(scope), NOON + timedelta(days=days))


def test_nobody_hears_of_a_person_who_has_shown_nothing(visit: Visit) -> None:
    assert told(visit, ALL) == {}


def test_a_scope_that_is_not_ours_is_answered_with_nothing(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        store.file(tx, visit.account, evidence(**PASSPORT), NOON)
    assert told(visit, frozenset({"openid", "offline_access"})) == {}


def test_each_scope_is_answered_with_its_own_claims(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        store.file(tx, visit.account, evidence(**PASSPORT), NOON)
    assert set(told(visit, frozenset({"assurance"}))) == {"verified_claims"}
    assert set(told(visit, frozenset({"document"}))) == {f"{ISSUER}/claims/document"}
    assert "verified_claims" not in told(visit, frozenset({"profile"}))


def test_a_reading_that_is_too_old_is_told_to_nobody(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        store.file(tx, visit.account, evidence(**PASSPORT), NOON)
    assert told(visit, ALL, days=31) == {}
