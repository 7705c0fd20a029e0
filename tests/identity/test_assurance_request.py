"""What a request for verified claims must look like."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.identity.assurance_request import EVIDENCE_TYPES, fault
from tests.identity import ida

NAMES = (
    "verification", "claims", "trust_framework", "assurance_level", "assurance_process", "policy",
    "assurance_details", "evidence_ref", "check_id", "evidence_metadata", "time", "evidence",
    "type", "value", "values", "essential", "max_age", "check_details", "check_method",
    "document_details", "record", "source", "attestation", "voucher", "birthdate", "issuer",
    "serial_number", "derived_claims", "attachments", "given_name", "created_at",
    "evidence_classification", "jurisdiction", "unheard_of",
)  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 1.0, 1.5, -1.0, 1e300])
    | st.sampled_from([*EVIDENCE_TYPES, "", "passport", "eidas"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=8,
)

SMALL: dict[str, Any] = {"verification": {"trust_framework": None}, "claims": {"name": None}}


def with_(path: str, value: Any) -> dict[str, Any]:
    """The smallest request, with this value at this place of its verification."""
    element = copy.deepcopy(SMALL)
    *way, last = path.split(".")
    place = element["verification"]
    for step in way:
        place = place.setdefault(step, {})
    place[last] = value
    return element


def evidence(**members: Any) -> dict[str, Any]:
    return with_("evidence", [{"type": {"value": "document"}} | members])


@pytest.mark.parametrize(
    "element",
    [
        SMALL,
        [SMALL, SMALL],
        [],
        {"verification": {"trust_framework": None}, "claims": None},
        with_("trust_framework", {"values": ["eidas", "gold"], "essential": True}),
        with_("time", {"max_age": 60.0}),
        with_("of_another_extension", 1),
        evidence(check_details=[{"check_method": {"value": "vcrypt"}}]),
        with_("evidence", [{"type": {}}]),
    ],
)
def test_a_well_formed_request_has_no_fault(element: Any) -> None:
    assert fault(element) is None


@pytest.mark.parametrize(
    ("element", "words"),
    [
        (None, "must be an object"),
        ("name", "must be an object"),
        ([SMALL, None], "must be an object"),
        ({}, "lacks verification"),
        ({"verification": {"trust_framework": None}}, "lacks claims"),
        ({"verification": {}, "claims": None}, "verification: lacks trust_framework"),
        (SMALL | {"purpose": "?"}, "has a member that does not belong there"),
        (SMALL | {"claims": {}}, "claims: must be null or name a claim"),
        (SMALL | {"claims": {"name": "Anna"}}, "claims: must be an object"),
        (SMALL | {"claims": {"name": {"essential": 1}}}, "essential: must be true or false"),
        (with_("trust_framework", "eidas"), "trust_framework: must be an object"),
        (with_("trust_framework", {"value": 1}), "value: must be a text"),
        (with_("trust_framework", {"values": []}), "must be a list with something in it"),
        (with_("trust_framework", {"values": ["a", 1]}), "values: must be a text"),
        (with_("time", {"max_age": -1}), "max_age: must be whole seconds, 0 or more"),
        (with_("time", {"max_age": True}), "max_age: must be whole seconds, 0 or more"),
        (with_("time", {"max_age": 1.5}), "max_age: must be whole seconds, 0 or more"),
        (with_("time", {"max_age": float("inf")}), "max_age: must be whole seconds, 0 or more"),
        (with_("evidence", None), "evidence: must be a list with something in it"),
        (with_("evidence", [{}]), "evidence: lacks type"),
        (with_("evidence", [{"type": None}]), "type: must be an object"),
        (with_("evidence", [{"type": {"value": "utility_bill"}}]), "is no type of evidence"),
        (with_("evidence", [{"type": {"value": ["document"]}}]), "is no type of evidence"),
        (evidence(check_details=[{}]), "check_details: lacks check_method"),
        (evidence(check_details=[]), "check_details: must be a list with something in it"),
        (evidence(document_details=None), "document_details: must be an object"),
        (evidence(derived_claims={}), "derived_claims: must be null or name a claim"),
        (with_("assurance_process.policy", "gpg45"), "policy: must be an object"),
        (with_("assurance_process.assurance_details", [{"evidence_ref": [{}]}]), "lacks check_id"),
    ],
)
def test_a_malformed_request_is_told_apart_and_why(element: Any, words: str) -> None:
    assert words in str(fault(element))


def test_a_type_of_evidence_has_its_own_members() -> None:
    wrong = {"type": {"value": "vouch"}, "document_details": None}
    assert fault(with_("evidence", [wrong])) is None
    assert "attestation" in str(fault(with_("evidence", [wrong | {"attestation": None}])))
    signature = {"type": {"value": "electronic_signature"}, "issuer": "somebody"}
    assert "issuer" in str(fault(with_("evidence", [signature])))
    record = {"type": {"value": "electronic_record"}, "record": {"source": {"name": 1}}}
    assert "source" in str(fault(with_("evidence", [record])))


@given(values)
def test_no_word_of_the_request_is_echoed(element: Any) -> None:
    found = fault({"verification": element, "claims": element, "x" * 40: element})
    assert found is not None
    assert "x" * 40 not in found
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz_:,0 ")


# The published schema says the same


@pytest.mark.shared
def test_every_published_example_is_well_formed() -> None:
    schema = ida.validator(ida.REQUEST)
    found = ida.elements()
    assert len(found) > 15
    assert [fault(element) for element in found] == [None] * len(found)
    assert all(schema.is_valid({"userinfo": {"verified_claims": e}}) for e in found)


@pytest.mark.shared
@settings(max_examples=400, deadline=None)
@given(st.data())
def test_every_mutated_example_gets_the_schemas_verdict(data: st.DataObject) -> None:
    schema = ida.validator(ida.REQUEST)
    element = copy.deepcopy(data.draw(st.sampled_from(ida.elements())))
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(element, data)
    agreed = schema.is_valid({"id_token": {"verified_claims": element}})
    assert (fault(element) is None) == agreed


@pytest.mark.shared
@settings(max_examples=200, deadline=None)
@given(values)
def test_any_json_gets_the_schemas_verdict(element: Any) -> None:
    schema = ida.validator(ida.REQUEST)
    agreed = schema.is_valid({"userinfo": {"verified_claims": element}})
    assert (fault(element) is None) == agreed


def mutate(element: Any, data: st.DataObject) -> None:
    """Replace, remove or add something at a place chosen by Hypothesis."""
    place = data.draw(st.sampled_from(list(containers(element))))
    if isinstance(place, dict):
        name = data.draw(st.sampled_from([*place, *NAMES]))
        if name in place and data.draw(st.booleans()):
            del place[name]
        else:
            place[name] = data.draw(values)
    elif data.draw(st.booleans()) and place:
        place.pop()
    else:
        place.append(data.draw(values))


def containers(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)
