"""How each kind of evidence is described."""

from datetime import date
from typing import Any

import pytest

from broker.identity.evidence import Check, Evidence, Outcome
from broker.proofing.evidence_shape import SHAPES, describe
from tests.conftest import ISSUER, NOON
from tests.proofing.pieces import EVERYTHING, KINDS, PASSPORT, POLICY, evidence, full
from tests.web.catalogues import DOORS

METHODS = EVERYTHING.methods


def described(piece: Evidence) -> dict[str, Any]:
    made = describe(piece, ISSUER, METHODS)
    assert made is not None
    return made


def checked(kind: str, *checks: Check) -> list[str]:
    made = described(Evidence(kind, (), checks, NOON))
    return [check["check_method"] for check in made.get("check_details", [])]


def test_every_kind_that_proves_an_identity_has_a_shape() -> None:
    without = {kind for kind in KINDS if kind not in SHAPES}
    assert without == {kind for kind, worth in POLICY.evidence.items() if worth.binding}
    assert set(SHAPES) <= set(KINDS)


def test_every_kind_that_a_door_of_this_house_brings_has_a_shape() -> None:
    assert {kind for door in DOORS for kind in door.produces} <= set(SHAPES)


def test_what_binds_an_address_is_not_described() -> None:
    assert describe(evidence("mailed_code"), ISSUER, METHODS) is None


def test_only_what_an_eidas_node_asserted_is_eidas_at_the_level_that_it_asserted() -> None:
    asserted = {kind: shape.asserted for kind, shape in SHAPES.items() if shape.asserted}
    assert {kind: (by.framework, by.level) for kind, by in asserted.items()} == {
        kind: ("eidas", worth.level)
        for kind, worth in POLICY.evidence.items()
        if worth.upstream == "eidas"
    }


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("mrz_photo", "document"),
        ("chip_pa_aa_operator_live", "document"),
        ("consular_in_person", "vouch"),
        ("eidas_substantial", "electronic_record"),
        ("fc_eidas3", "electronic_record"),
        ("eudi_pid", "electronic_record"),
        ("qualified_cert", "electronic_signature"),
    ],
)
def test_every_kind_is_of_the_type_that_it_is(kind: str, type_: str) -> None:
    assert described(full(kind))["type"] == type_


def test_a_document_is_told_by_its_details() -> None:
    assert described(full("mrz_photo"))["document_details"] == {
        "type": "passport",
        "document_number": "L898902C3",
        "date_of_expiry": date(2032, 4, 15),
        "issuer": {"country_code": "UTO"},
    }


@pytest.mark.parametrize("type_", ["visa", "idcard", ""])
def test_a_type_of_document_that_the_kind_does_not_admit_is_not_told(type_: str) -> None:
    piece = evidence(**{**PASSPORT, "document_type": type_})
    assert "document_details" not in described(piece)


def test_a_date_that_is_none_is_not_told() -> None:
    piece = evidence(**{**PASSPORT, "expiry_date": "2032-04-00"})
    assert "date_of_expiry" not in described(piece)["document_details"]


def test_a_record_names_who_keeps_it() -> None:
    assert described(full("eidas_high"))["record"] == {
        "type": f"{ISSUER}/record-types/eidas",
        "date_of_expiry": date(2032, 4, 15),
        "source": {"name": "Node of Utopia", "country_code": "UTO"},
    }


def test_a_vouch_names_who_vouches() -> None:
    assert described(full("consular_in_person"))["attestation"] == {
        "type": "digital_attestation",
        "reference_number": "V-1",
        "date_of_issuance": NOON.date(),
        "voucher": {"organization": "Consulate of Utopia", "country_code": "UTO"},
    }


def test_a_signature_names_its_certificate_and_no_check() -> None:
    assert described(full("qualified_cert")) == {
        "type": "electronic_signature",
        "signature_type": f"{ISSUER}/signature-types/qualified_certificate",
        "issuer": "CN=Utopian CA",
        "serial_number": "4711",
        "created_at": NOON,
    }


# Checks


def test_only_checks_that_passed_are_told() -> None:
    (check,) = described(evidence(**PASSPORT))["check_details"]
    assert check == {"check_method": f"{ISSUER}/check-methods/check_digits", "time": NOON}


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.SKIPPED])
def test_a_check_that_did_not_pass_is_not_told_whatever_it_is(outcome: Outcome) -> None:
    assert checked("chip_pa_only", Check("vcrypt", "issuer_signature", outcome)) == []
    assert checked("chip_pa_only", Check("data", "check_digits", outcome)) == []


def test_a_registered_check_that_passed_keeps_its_name() -> None:
    passed = Check("vcrypt", "issuer_signature", Outcome.PASSED)
    assert checked("chip_pa_only", passed) == ["vcrypt"]


def test_a_registered_check_that_the_kind_cannot_have_is_not_told() -> None:
    assert checked("mrz_photo", Check("bvr", "holder_present", Outcome.PASSED)) == []
    assert checked("mrz_photo", Check("vcrypt", "issuer_signature", Outcome.PASSED)) == []


def test_arithmetic_does_not_pass_for_a_look_at_a_register() -> None:
    found = checked("mrz_photo", Check("data", "check_digits", Outcome.PASSED))
    assert found == [f"{ISSUER}/check-methods/check_digits"]


def test_a_property_that_no_door_here_proves_is_not_told() -> None:
    assert checked("mrz_photo", Check("data", "of_another_house", Outcome.PASSED)) == []


def test_two_checks_of_one_method_are_told_as_one() -> None:
    twice = [Check("vcrypt", name, Outcome.PASSED) for name in ("chip", "issuer_signature")]
    assert checked("chip_pa_only", *twice) == ["vcrypt"]
