"""What a request lets through of what is held."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.proofing.matching import ABSENT, UNMET, Nothing, limits, told
from tests.conftest import NOON

DOCUMENT = {
    "type": "document",
    "check_details": [
        {"check_method": "vri", "time": NOON},
        {"check_method": "vcrypt", "time": NOON},
    ],
    "document_details": {"type": "passport", "date_of_expiry": date(2032, 4, 15)},
}
VOUCH = {"type": "vouch", "attestation": {"type": "digital_attestation"}}
SIGNATURE = {
    "type": "electronic_signature",
    "signature_type": "qes",
    "issuer": "CN=CA",
    "serial_number": "4711",
}
HELD = {"trust_framework": "ours", "time": NOON, "evidence": [DOCUMENT, VOUCH, SIGNATURE]}
NAMES = (
    "trust_framework", "time", "evidence", "type", "check_details", "check_method",
    "document_details", "attestation", "value", "values", "max_age", "essential", "other",
)  # fmt: skip


def verification(**asked: Any) -> Any:
    return told("verification", {"trust_framework": None} | asked, HELD, NOON)


def evidence(*entries: dict[str, Any]) -> Any:
    """The evidence that these entries let through, or the Nothing that becomes of it all."""
    found = verification(evidence=list(entries))
    return found if isinstance(found, Nothing) else found.get("evidence", ABSENT)


def typed(type_: str, **members: Any) -> dict[str, Any]:
    return {"type": {"value": type_}} | members


# Nothing that was not asked


def test_a_member_that_was_not_asked_is_not_told() -> None:
    assert verification() == {"trust_framework": "ours"}
    assert evidence(typed("document")) == [{"type": "document"}]


def test_null_asks_for_a_value_and_never_for_all_that_is_below() -> None:
    assert evidence(typed("document", document_details=None)) == [{"type": "document"}]
    assert verification(evidence=None) == {"trust_framework": "ours"}


def test_an_unknown_member_changes_nothing() -> None:
    assert verification(colour=None, shape={"size": None}) == {"trust_framework": "ours"}


# Requirements under verification


@pytest.mark.parametrize(
    ("asked", "is_met"),
    [
        ({"value": "ours"}, True),
        ({"values": ["theirs", "ours"]}, True),
        ({"value": "theirs"}, False),
        ({"values": ["theirs"]}, False),
        ({"value": "theirs", "essential": False}, False),
        ({"value": "ours", "values": ["theirs"]}, False),
    ],
)
def test_an_unmet_value_drops_the_whole_verification(asked: Any, is_met: bool) -> None:
    found = verification(trust_framework=asked)
    assert found == ({"trust_framework": "ours"} if is_met else UNMET)


def test_a_requirement_of_something_that_is_not_held_is_not_met() -> None:
    assert verification(assurance_level={"value": "high"}) is UNMET
    assert verification(assurance_process={"policy": {"value": "gpg45"}}) is UNMET
    details = [{"assurance_type": {"value": "strength"}}]
    assert verification(assurance_process={"assurance_details": details}) is UNMET
    assert verification(assurance_process={"policy": None}) == {"trust_framework": "ours"}
    assert verification(txn={"essential": True}) == {"trust_framework": "ours"}


def test_a_requirement_of_a_whole_element_is_none_that_can_be_met() -> None:
    assert verification(evidence=[typed("document", document_details={"value": "x"})]) is UNMET


@pytest.mark.parametrize("max_age", ["60", None, True, [60]])
def test_an_age_that_is_no_number_limits_nothing_or_is_not_met(max_age: Any) -> None:
    found = verification(time={"max_age": max_age})
    assert (found is UNMET) == (max_age is not None)


def test_a_limit_on_the_age_of_what_has_none_is_not_met() -> None:
    assert verification(trust_framework={"max_age": 60}) is UNMET


@pytest.mark.parametrize("days", [0, 1, 30])
def test_an_age_is_counted_from_the_end_of_a_day(days: int) -> None:
    ended = date(2026, 11, 22)  # NOON is 43,201 s later than its last second
    held = {"trust_framework": "ours", "since": ended}
    asked = {"trust_framework": None, "since": {"max_age": 43_201 - 1 + days}}
    now = NOON
    found = told("verification", asked, held, now)
    assert (found is UNMET) == (days == 0)


# How exactly a moment is told


@pytest.mark.parametrize(
    ("max_age", "told_"),
    [
        (None, "2026-11-23T00:00:00Z"),
        (86_400, "2026-11-23T00:00:00Z"),
        (43_200, "2026-11-23T00:00:00Z"),
        (43_199, "2026-11-23T11:00:00Z"),
        (3_000, "2026-11-23T11:42:00Z"),
        (1_070, "2026-11-23T11:42:17Z"),
        (1_063, "2026-11-23T11:42:17Z"),
    ],
)
def test_a_moment_is_told_as_roughly_as_the_asked_age_allows(
    max_age: int | None, told_: str
) -> None:
    held = {"trust_framework": "ours", "time": NOON - timedelta(seconds=1063)}
    limit = {} if max_age is None else {"max_age": max_age}
    found = told("verification", {"trust_framework": None, "time": limit}, held, NOON)
    assert found["time"] == told_


@given(st.integers(0, 10**6), st.integers(0, 10**6) | st.floats(0, 1e300) | st.just(10**400))
def test_an_age_that_is_met_is_met_by_the_moment_that_is_told(old: int, max_age: float) -> None:
    at = NOON - timedelta(seconds=old)
    asked = {"trust_framework": None, "time": {"max_age": max_age}}
    found = told("verification", asked, {"trust_framework": "ours", "time": at}, NOON)
    if old > max_age:
        assert found is UNMET
    else:
        rough = datetime.fromisoformat(found["time"])
        assert rough <= at
        assert (NOON - rough).total_seconds() <= max_age


# Lists


def test_entries_of_evidence_are_alternatives() -> None:
    assert evidence(typed("document"), typed("vouch")) == [{"type": "document"}, {"type": "vouch"}]
    assert evidence(typed("vouch"), typed("electronic_record")) == [{"type": "vouch"}]


def test_evidence_that_no_entry_admits_drops_the_whole_verification() -> None:
    assert evidence(typed("electronic_record")) is UNMET
    assert evidence(typed("document", check_details=[{"check_method": {"value": "bvr"}}])) is UNMET
    narrow = {"type": {"value": "idcard"}}
    assert evidence(typed("document", document_details=narrow)) is UNMET
    assert evidence(typed("vouch", document_details={"type": {"value": "passport"}})) is UNMET


def test_one_check_of_several_that_was_asked_for_is_enough() -> None:
    wanted = [{"check_method": {"value": "bvr"}}, {"check_method": {"values": ["vcrypt"]}}]
    assert evidence(typed("document", check_details=wanted)) == [
        {"type": "document", "check_details": [{"check_method": "vcrypt"}]}
    ]


def test_the_same_thing_is_told_once() -> None:
    held = {"type": "document", "check_details": [{"check_method": "vri"}] * 2}
    found = told("evidence", typed("document", check_details=[{"check_method": None}]), held, NOON)
    assert found["check_details"] == [{"check_method": "vri"}]


def test_an_entry_without_a_type_requires_none() -> None:
    assert evidence({"type": {}}) == [{"type": "document"}, {"type": "vouch"}]
    every: Any = {"type": {}, "signature_type": None, "issuer": None, "serial_number": None}
    assert len(evidence(every)) == 3


# Leaving out climbs


def test_an_element_that_would_not_be_valid_is_left_out_with_what_it_is_part_of() -> None:
    number = {"date_of_expiry": None}
    assert evidence(typed("document", document_details=number)) == [{"type": "document"}]
    both = number | {"type": None}
    assert evidence(typed("document", document_details=both)) == [
        {
            "type": "document",
            "document_details": {"type": "passport", "date_of_expiry": "2032-04-15"},
        }
    ]


def test_a_check_is_not_told_without_its_method() -> None:
    wanted = typed("document", check_details=[{"time": None}])
    assert evidence(wanted) == [{"type": "document"}]


def test_a_signature_is_told_whole_or_not_at_all() -> None:
    asked = typed("electronic_signature", issuer=None, serial_number=None)
    assert evidence(asked) is ABSENT
    assert evidence(asked | {"signature_type": None}) == [SIGNATURE]


def test_an_element_without_any_member_is_left_out() -> None:
    held = {"type": "document", "document_details": {"type": "passport", "issuer": {}}}
    asked = typed("document", document_details={"type": None, "issuer": {"name": None}})
    assert told("evidence", asked, held, NOON)["document_details"] == {"type": "passport"}


def test_no_framework_no_verification() -> None:
    assert told("verification", {"time": None}, HELD, NOON) is ABSENT


# Any request


requests = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["ours", "document", "vri"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(requests)
def test_whatever_is_asked_the_answer_is_part_of_the_question(asked: Any) -> None:
    found = told("verification", asked, HELD, NOON)
    if not isinstance(found, Nothing):
        assert paths(found) <= paths(asked)


@given(requests)
def test_essential_makes_no_difference(asked: Any) -> None:
    assert told("verification", asked, HELD, NOON) == told(
        "verification", without_essential(asked), HELD, NOON
    )


def test_limits_of_alternatives_are_limits_if_each_has_one() -> None:
    assert limits([{"value": "a"}, {"type": {"value": "b"}}])
    assert not limits([{"value": "a"}, {}])
    assert not limits([])


def paths(value: Any, at: str = "") -> set[str]:
    if isinstance(value, dict):
        return {at}.union(*(paths(inner, f"{at}/{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return {at}.union(*(paths(inner, at) for inner in value))
    return {at}


def without_essential(asked: Any) -> Any:
    if isinstance(asked, dict):
        return {n: without_essential(v) for n, v in asked.items() if n != "essential"}
    return [without_essential(v) for v in asked] if isinstance(asked, list) else asked


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


@given(requests)
def test_no_null_and_nothing_empty_is_ever_told(asked: Any) -> None:
    found = told("verification", asked, HELD, NOON)
    if not isinstance(found, Nothing):
        assert None not in list(leaves(found))
        assert "{}" not in str(found)
        assert "[]" not in str(found)
