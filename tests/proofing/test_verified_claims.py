"""How a person was verified, as a service asked to hear it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.identity.assurance_request import EVIDENCE_TYPES, fault
from broker.identity.evidence import Evidence
from broker.proofing.evidence_shape import SHAPES
from broker.proofing.standard_claims import VERIFIABLE
from broker.proofing.verified_claims import answer, of_scope
from tests.conftest import ISSUER, NOON
from tests.identity import ida
from tests.proofing.pieces import (
    KINDS,
    OURS,
    PASSPORT,
    POLICY,
    ask,
    document,
    evidence,
    full,
    offered,
    tell,
)

ALL = "openid profile assurance document"
DAY = timedelta(days=1)
OPERATOR = full("mrz_photo_operator")
EIDAS = full("eidas_substantial")


def verified(*filed: Evidence, request: Any, later: timedelta = timedelta()) -> Any:
    """`verified_claims` for this request, None where the token is silent."""
    return tell(*filed, later=later, verified_claims=request).get("verified_claims")


# What a level lets stand there


@pytest.mark.parametrize("wish", [None, {"essential": True}, {"value": "ERIKSSON"}])
def test_a_photographed_zone_verifies_no_name(wish: Any) -> None:
    told = verified(full("mrz_photo"), request=ask({}, family_name=wish))
    assert told == {"verification": {"trust_framework": OURS}, "claims": {}}
    everything = tell(full("mrz_photo"), scope="assurance profile")["verified_claims"]
    assert everything["claims"] == {}
    assert everything["verification"]["assurance_level"] == "declared"
    assert "ERIKSSON" not in json.dumps(everything)


def test_a_level_that_verifies_may_pass_the_name_on() -> None:
    process = {"procedure": None}
    request = ask({"assurance_level": None, "assurance_process": process}, "family_name")
    told = verified(OPERATOR, request=request)
    assert told["claims"] == {"family_name": "ERIKSSON"}
    assert told["verification"]["assurance_level"] == "basic"
    procedure = told["verification"]["assurance_process"]["procedure"]
    assert procedure == "mrz_photo_operator: gpg45 L1B"


def test_the_policy_and_the_filed_evidence_are_named() -> None:
    wished = {"time": None, "verification_process": None, "assurance_process": {"policy": None}}
    made = verified(OPERATOR, request=ask(wished))["verification"]
    assert made["assurance_process"]["policy"] == f"{ISSUER}/policy.json#{POLICY.version}"
    assert made["verification_process"] == "mrz_photo_operator-1"
    assert made["time"] == "2026-11-23T00:00:00Z"


def test_the_best_piece_is_described_and_of_equals_the_newest() -> None:
    level = ask({"assurance_level": None, "verification_process": None})
    told = verified(full("mrz_photo"), OPERATOR, request=level)["verification"]
    assert told["assurance_level"] == "basic"
    old = full("mrz_photo", NOON - DAY)
    new = Evidence("mrz_photo", old.claims, old.checks, NOON, None, "the newer one")
    told = verified(new, old, request=level)["verification"]
    assert told["verification_process"] == "the newer one"


# Trust frameworks


def test_our_framework_is_told_by_its_own_name() -> None:
    told = verified(OPERATOR, request=ask())
    assert told["verification"] == {"trust_framework": f"{ISSUER}/trust-framework"}


def test_what_a_node_asserted_is_told_in_its_framework_and_at_its_level() -> None:
    request = ask({"trust_framework": {"value": "eidas"}, "assurance_level": None})
    told = verified(EIDAS, request=request)["verification"]
    assert told == {"trust_framework": "eidas", "assurance_level": "substantial"}
    assert verified(EIDAS, request=ask())["verification"]["trust_framework"] == "eidas"


def test_what_a_node_asserted_may_be_asked_for_in_our_framework_too() -> None:
    request = ask({"trust_framework": {"value": OURS}, "assurance_level": None})
    told = verified(EIDAS, request=request)["verification"]
    assert told == {"trust_framework": OURS, "assurance_level": "verified"}


@pytest.mark.parametrize("kind", [k for k in KINDS if not k.startswith("eidas_")])
def test_nothing_else_is_ever_eidas(kind: str) -> None:
    request = ask({"trust_framework": {"value": "eidas"}})
    assert verified(full(kind), request=request) is None
    assert "eidas" not in str(verified(full(kind), request=ask())["verification"])


@pytest.mark.parametrize("framework", ["de_aml", "nist_800_63A", "uk_diatf", "gold", ""])
def test_a_framework_that_is_not_ours_is_not_claimed(framework: str) -> None:
    request = ask({"trust_framework": {"value": framework}}, "family_name")
    assert verified(OPERATOR, EIDAS, request=request) is None


def test_a_level_that_is_not_reached_drops_the_whole_element() -> None:
    high = {"trust_framework": {"value": "eidas"}, "assurance_level": {"value": "high"}}
    assert verified(EIDAS, request=ask(high)) is None
    assert verified(EIDAS, full("eidas_high"), request=ask(high)) is not None
    either = high | {"assurance_level": {"values": ["high", "substantial"]}}
    assert verified(EIDAS, request=ask(either)) is not None


def test_a_level_of_one_framework_is_none_of_another() -> None:
    mixed = {"trust_framework": {"value": OURS}, "assurance_level": {"value": "substantial"}}
    assert verified(EIDAS, request=ask(mixed)) is None


# Evidence


def test_evidence_of_each_type_is_told_as_it_was_asked() -> None:
    shown = ask(document(document_details={"type": None}))
    told = verified(OPERATOR, request=shown)["verification"]["evidence"]
    assert told == [{"type": "document", "document_details": {"type": "passport"}}]
    record = ask({"evidence": [{"type": {"value": "electronic_record"}, "record": {"type": None}}]})
    told = verified(EIDAS, request=record)["verification"]["evidence"]
    assert told == [
        {"type": "electronic_record", "record": {"type": f"{ISSUER}/record-types/eidas"}}
    ]


def test_evidence_of_another_type_than_asked_drops_the_element_or_finds_another_piece() -> None:
    request = ask({"evidence": [{"type": {"value": "electronic_record"}}]})
    assert verified(OPERATOR, request=request) is None
    assert verified(OPERATOR, EIDAS, request=request) is not None


def test_a_number_is_told_only_to_who_asked_for_it() -> None:
    without = document(document_details={"type": None, "issuer": {"country_code": None}})
    assert "L898902C3" not in json.dumps(verified(OPERATOR, request=ask(without)))
    with_ = document(document_details={"type": None, "document_number": None})
    assert "L898902C3" in json.dumps(verified(OPERATOR, request=ask(with_)))


def test_a_check_that_was_required_and_not_made_drops_the_element() -> None:
    biometric = document(check_details=[{"check_method": {"value": "bvr"}}])
    assert verified(OPERATOR, request=ask(biometric)) is None
    signed = document(check_details=[{"check_method": {"value": "vcrypt"}}])
    assert verified(OPERATOR, request=ask(signed)) is None
    assert verified(full("chip_pa_only"), request=ask(signed)) is not None


def test_attachments_are_never_told() -> None:
    assert verified(OPERATOR, request=ask(document(attachments=None))) == {
        "verification": {"trust_framework": OURS, "evidence": [{"type": "document"}]},
        "claims": {},
    }


# Age


def test_a_verification_older_than_asked_drops_the_element() -> None:
    request = ask({"time": {"max_age": 3600}}, "family_name")
    assert verified(OPERATOR, request=request, later=timedelta(minutes=59)) is not None
    assert verified(OPERATOR, request=request, later=timedelta(minutes=61)) is None


def test_an_older_piece_that_is_good_enough_is_not_taken_where_a_newer_one_is_asked() -> None:
    old, new = full("eidas_high", NOON - 2 * DAY), full("eidas_low")
    request = ask({"assurance_level": None, "time": {"max_age": 3600}})
    assert verified(new, old, request=request)["verification"]["assurance_level"] == "low"


# Several sets


def test_each_element_of_an_array_is_answered_by_itself() -> None:
    high = ask({"trust_framework": {"value": "eidas"}, "assurance_level": {"value": "high"}})
    some = ask({"trust_framework": {"values": ["eidas", "gold"]}}, "birthdate")
    ours = ask({"trust_framework": {"value": OURS}}, "given_name")
    assert verified(EIDAS, request=[high, some, ours]) == [
        {"verification": {"trust_framework": "eidas"}, "claims": {"birthdate": "1974-08-12"}},
        {"verification": {"trust_framework": OURS}, "claims": {"given_name": "ANNA MARIA"}},
    ]
    assert verified(EIDAS, request=[high]) is None
    assert verified(EIDAS, request=[]) is None
    assert isinstance(verified(EIDAS, request=[ours]), list)


def test_the_same_claim_is_told_in_every_set_that_asks_for_it() -> None:
    one = ask({"trust_framework": {"value": "eidas"}}, "name")
    two = ask({"trust_framework": {"value": OURS}}, "name")
    assert [found["claims"] for found in verified(EIDAS, request=[one, two])] == [
        {"name": "ANNA MARIA ERIKSSON"}
    ] * 2


# Scope `assurance`, the simple way


def test_the_scope_is_a_request_like_any_other() -> None:
    for scope in (ALL, "assurance", "assurance document", "assurance profile"):
        request = of_scope(frozenset(scope.split()), ISSUER)
        assert fault(request) is None
        assert tell(OPERATOR, scope=scope)["verified_claims"] == verified(OPERATOR, request=request)


def test_the_scope_asks_for_our_framework_whatever_the_evidence() -> None:
    for kind in SHAPES:
        told = tell(full(kind), scope="assurance")["verified_claims"]
        assert told["verification"]["trust_framework"] == OURS


def test_evidence_that_is_not_described_is_silent_in_the_scope() -> None:
    assert tell(full("mailed_code"), scope="assurance") == {}
    assert verified(full("mailed_code"), request=ask()) is not None


def test_without_the_scope_profile_even_a_verified_name_stays_here() -> None:
    assert tell(OPERATOR, scope="assurance")["verified_claims"]["claims"] == {}


def test_the_number_stands_in_the_evidence_only_with_the_scope_document() -> None:
    (asked_for,) = tell(OPERATOR, scope=ALL)["verified_claims"]["verification"]["evidence"]
    (not_asked,) = tell(OPERATOR, scope="assurance")["verified_claims"]["verification"]["evidence"]
    assert asked_for["document_details"]["document_number"] == "L898902C3"
    assert not_asked["document_details"] == {"type": "passport", "issuer": {"country_code": "UTO"}}


def test_a_request_by_name_takes_the_place_of_the_scope() -> None:
    told = tell(OPERATOR, scope="assurance profile", verified_claims=ask({}, "gender"))
    assert told["verified_claims"]["claims"] == {"gender": "female"}
    refused = ask({"trust_framework": {"value": "gold"}})
    assert "verified_claims" not in tell(OPERATOR, scope="assurance", verified_claims=refused)


# The plan of the conformance suite, module by module


def test_ekyc_happy_path_one_claim() -> None:
    assert verified(OPERATOR, request=ask({}, "given_name")) == {
        "verification": {"trust_framework": OURS},
        "claims": {"given_name": "ANNA MARIA"},
    }


def test_ekyc_empty_objects_ask_as_null_does() -> None:
    request: Any = {"verification": {"trust_framework": {}}, "claims": {"given_name": {}}}
    assert verified(OPERATOR, request=request) == verified(OPERATOR, request=ask({}, "given_name"))


def test_ekyc_essential_false_asks_as_null_does() -> None:
    assert verified(OPERATOR, request=ask({}, given_name={"essential": False})) == verified(
        OPERATOR, request=ask({}, "given_name")
    )


@pytest.mark.parametrize("name", ["unknown_claim", "☃ ' \" \\ <b> %00", "address"])
@pytest.mark.parametrize("wish", [None, {"essential": True}])
def test_ekyc_unknown_claims_are_left_out_essential_or_not(name: str, wish: Any) -> None:
    told = verified(OPERATOR, request=ask({}, **{"given_name": None, name: wish}))
    assert told["claims"] == {"given_name": "ANNA MARIA"}
    alone = verified(OPERATOR, request=ask({}, **{name: wish}))
    assert alone == {"verification": {"trust_framework": OURS}, "claims": {}}


def test_ekyc_a_claim_with_a_random_value_is_left_out() -> None:
    wish = {"value": "5d1f6f6e-6f0c-4b0f-8f0e-000000000000"}
    told = verified(OPERATOR, request=ask({}, "family_name", given_name=wish))
    assert told["claims"] == {"family_name": "ERIKSSON"}


def test_ekyc_asked_at_one_place_it_is_told_at_one_place() -> None:
    assert set(tell(OPERATOR, verified_claims=ask({}, "name"))) == {"verified_claims"}
    assert tell(OPERATOR) == {}


def test_ekyc_a_request_made_of_an_earlier_answer_gets_that_answer() -> None:
    told = tell(OPERATOR, scope=ALL)["verified_claims"]
    assert verified(OPERATOR, request=as_request(told)) == told


def as_request(told: Any) -> Any:
    """Every value that was told, required as it was."""
    if isinstance(told, dict):
        return {name: as_request(value) for name, value in told.items()}
    return [as_request(value) for value in told] if isinstance(told, list) else {"value": told}


def test_a_malformed_request_that_came_this_far_is_answered_with_nothing() -> None:
    malformed: tuple[Any, ...] = (None, "x", {}, {"verification": {}, "claims": {}}, [None])
    for request in malformed:
        assert answer(request, offered(OPERATOR), NOON) is None


# Any request, any evidence

limited = st.sampled_from(
    [None, {}, {"essential": True}, {"value": "eidas"}, {"value": OURS}, {"values": ["x", OURS]}]
)
levels = st.sampled_from([None, {"value": "basic"}, {"values": ["high", "official"]}])
dated = st.sampled_from([None, {"max_age": 0}, {"max_age": 10**9}, {"essential": False}])
wanted = st.sampled_from([None, {"essential": True}])
methods = st.sampled_from([None, {"value": "vcrypt"}, {"values": ["pvr", "vri"]}])
states = st.fixed_dictionaries({}, optional={"country_code": wanted, "name": wanted})
entries = st.fixed_dictionaries(
    {"type": st.sampled_from([{"value": t} for t in EVIDENCE_TYPES])},
    optional={
        "check_details": st.lists(
            st.fixed_dictionaries({"check_method": methods}, optional={"time": dated}),
            min_size=1,
            max_size=2,
        ),
        "document_details": st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from([None, {"value": "passport"}, {"value": "idcard"}]),
                "document_number": wanted,
                "date_of_expiry": dated,
                "issuer": states,
            },
        ),
        "record": st.fixed_dictionaries({}, optional={"type": wanted, "source": states}),
        "attestation": st.fixed_dictionaries({}, optional={"type": wanted, "voucher": states}),
        "signature_type": wanted,
        "issuer": wanted,
        "serial_number": wanted,
        "created_at": dated,
        "attachments": wanted,
        "derived_claims": st.none(),
    },
)
verifications = st.fixed_dictionaries(
    {"trust_framework": limited},
    optional={
        "assurance_level": levels,
        "assurance_process": st.fixed_dictionaries(
            {}, optional={"policy": wanted, "procedure": wanted}
        ),
        "time": dated,
        "verification_process": wanted,
        "evidence": st.lists(entries, min_size=1, max_size=3),
        "unheard_of": wanted,
    },
)
names = st.sampled_from([*VERIFIABLE, "address", "personal_number", "☃"])
claims = st.none() | st.dictionaries(
    names,
    st.sampled_from([None, {}, {"essential": True}, {"value": "ERIKSSON"}, {"max_age": 1}]),
    min_size=1,
)
element = st.fixed_dictionaries({"verification": verifications, "claims": claims})
requests = element | st.lists(element, max_size=3)
born = st.sampled_from(["1974-08-12", "1974-08-00", "0000-08-12", "0000-00-00"])


@st.composite
def pieces(draw: st.DrawFn) -> Evidence:
    whole = full(draw(st.sampled_from(KINDS)), NOON - DAY * draw(st.integers(0, 3)))
    spoken = {claim.name: claim.value for claim in whole.claims} | {"birthdate": draw(born)}
    left = draw(st.sets(st.sampled_from(sorted(spoken))))
    said = {name: value for name, value in spoken.items() if name not in left}
    return replace(evidence(whole.kind, **said), at=whole.at)


filed_pieces = st.lists(pieces(), min_size=1, max_size=3)


@settings(deadline=None)
@given(request=requests, filed=filed_pieces)
def test_no_request_whatever_is_told_more_than_it_asked(
    request: Any, filed: list[Evidence]
) -> None:
    assert fault(request) is None
    told = verified(*filed, request=request)
    if told is None:
        return
    assert isinstance(told, list) == isinstance(request, list)
    assert paths(told) <= paths(request)
    for found in told if isinstance(told, list) else [told]:
        assert set(found) == {"verification", "claims"}
        assert set(found["claims"]) <= set(VERIFIABLE)
    assert "ZE184226B" not in json.dumps(told)
    assert not {None, ""} & set(leaves(told))


@settings(deadline=None)
@given(request=element, filed=filed_pieces)
def test_no_requirement_whatever_is_ignored(request: Any, filed: list[Evidence]) -> None:
    told = verified(*filed, request=request)
    if told is None:
        return
    framework = request["verification"]["trust_framework"] or {}
    known = told["verification"]["trust_framework"]
    assert known == framework.get("value", known)
    assert known in framework.get("values", [known])
    level = request["verification"].get("assurance_level") or {}
    if level:
        wanted = level.get("values", [level.get("value")])
        assert told["verification"]["assurance_level"] in wanted
    if (request["verification"].get("time") or {}).get("max_age") == 0:
        assert told["verification"]["time"] == "2026-11-23T12:00:00Z"
    for name, value in told["claims"].items():
        assert value == (request["claims"][name] or {}).get("value", value)


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


def paths(value: Any, at: str = "") -> set[str]:
    if isinstance(value, dict):
        return {at}.union(*(paths(inner, f"{at}/{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return {at}.union(*(paths(inner, at) for inner in value))
    return {at}


# The schema of OpenID Identity Assurance


@pytest.mark.shared
def test_the_schema_refuses_what_it_should() -> None:
    schema = ida.validator(ida.RESPONSE)
    assert not schema.is_valid({"verified_claims": {"verification": {}, "claims": {}}})


@pytest.mark.shared
@settings(max_examples=200, deadline=None)
@given(request=requests, filed=filed_pieces)
def test_every_answer_fits_the_published_schema(request: Any, filed: list[Evidence]) -> None:
    told = tell(*filed, verified_claims=request)
    ida.validator(ida.RESPONSE).validate(told)


@pytest.mark.shared
@settings(deadline=None)
@given(
    filed=filed_pieces,
    scope=st.sets(st.sampled_from(sorted(ALL.split()))),
    named=st.sets(names),
)
def test_whatever_we_tell_fits_the_schema_and_holds_no_null(
    filed: list[Evidence], scope: set[str], named: set[str]
) -> None:
    wishes: dict[str, Any] = dict.fromkeys(named)
    told = tell(*filed, scope=" ".join(scope), **wishes)
    ida.validator(ida.RESPONSE).validate(told)
    assert not {None, ""} & set(leaves(told))


@pytest.mark.shared
def test_every_published_request_is_answered_within_the_schema() -> None:
    schema = ida.validator(ida.RESPONSE)
    asked = ida.elements()
    answers = [tell(OPERATOR, EIDAS, verified_claims=request) for request in asked]
    for told in answers:
        schema.validate(told)
    assert any(answers)
    assert not all(answers)


def test_the_passport_of_the_tests_says_everything_that_may_be_verified() -> None:
    assert set(VERIFIABLE) - {"name"} <= set(PASSPORT)


def test_a_process_that_no_rule_stands_for_names_none() -> None:
    (offer,) = offered(full("mrz_photo"), now=NOON + DAY * 4000)
    assert offer.verification["assurance_process"].keys() == {"policy"}
