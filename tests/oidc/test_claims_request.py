"""The claims parameter, read: what it may hold, what it asks, what an agreement must cover."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.oidc.claims_request import (
    SIZE_LIMIT,
    AcrWish,
    acr_wish,
    names,
    personal,
    read_claims,
    subject_asked,
)
from broker.oidc.strict_json import JsonRefused

ISSUER = "https://broker.test"


def asked(**places: Any) -> dict[str, dict[str, Any]]:
    return read_claims(json.dumps(places))


def test_both_places_are_read_and_other_members_ignored_as_core_5_5_asks() -> None:
    places = asked(userinfo={"name": None}, id_token={"gender": {"essential": True}}, other=1)
    assert places == {"userinfo": {"name": None}, "id_token": {"gender": {"essential": True}}}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '"name"',
        '{"userinfo": null}',
        '{"userinfo": ["name"]}',
        '{"id_token": {"name": true}}',
        '{"id_token": {"name": "x"}}',
        '{"id_token": {"name": {"essential": "yes"}}}',
        '{"id_token": {"name": {"values": "x"}}}',
        '{"id_token": {"name": null, "name": null}}',
        '{"id_token": {"verified_claims": {"claims": {}}}}',
        '{"id_token": {"verified_claims": null}}',
        "{" + " " * SIZE_LIMIT + "}",
    ],
)
def test_a_malformed_claims_parameter_is_refused(text: str) -> None:
    with pytest.raises(JsonRefused):
        read_claims(text)


@given(st.text(max_size=60) | st.text('{}[]":,nulltrue idoken_userf', max_size=60))
def test_no_claims_parameter_raises_anything_but_a_refusal(text: str) -> None:
    try:
        places = read_claims(text)
    except JsonRefused:
        return
    acr_wish(places), subject_asked(places), names(personal(places, ISSUER))


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "sub", "acr"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["acr", "sub", "name", "value", "values", "essential"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["userinfo", "id_token"]), ODD, max_size=2))
def test_no_shape_of_requirement_raises_anything_but_a_refusal(places: dict[str, Any]) -> None:
    try:
        read = read_claims(json.dumps(places))
    except JsonRefused:
        return
    acr_wish(read), subject_asked(read), names(personal(read, ISSUER))


def test_acr_is_essential_only_with_a_value_to_reach() -> None:
    assert acr_wish(asked(id_token={"acr": {"essential": True}})) == AcrWish()
    assert acr_wish(asked(id_token={"acr": {"essential": True, "value": "x"}})) == AcrWish(
        ("x",), essential=True
    )
    assert acr_wish(asked(id_token={"acr": {"values": ["x", "y"]}})) == AcrWish(("x", "y"))
    assert acr_wish(asked(userinfo={"acr": {"values": ["x"]}})) == AcrWish()


def test_a_subject_asked_in_both_places_must_be_the_same() -> None:
    assert subject_asked(asked(id_token={"name": None})) is None
    assert subject_asked(asked(id_token={"sub": None})) is None
    assert subject_asked(asked(id_token={"sub": {"value": "a"}})) == frozenset({"a"})
    both = asked(id_token={"sub": {"value": "a"}}, userinfo={"sub": {"values": ["a", "b"]}})
    assert subject_asked(both) == frozenset({"a"})
    assert (
        subject_asked(asked(id_token={"sub": {"value": "a"}}, userinfo={"sub": {"value": "b"}}))
        == frozenset()
    )


def test_claims_that_we_do_not_know_are_ignored_essential_or_not() -> None:
    wish = asked(userinfo={"email": {"essential": True}, "sub": None, "name": None, "acr": None})
    assert personal(wish, ISSUER) == {"userinfo": {"name": None}}


def test_an_agreement_covers_verified_claims_member_by_member() -> None:
    element = {
        "verification": {
            "trust_framework": {"value": "x"},
            "evidence": [{"type": {"value": "document"}, "document_details": {"type": None}}],
        },
        "claims": {"birthdate": {"essential": True}},
    }
    wish = personal(asked(userinfo={"verified_claims": [element]}), ISSUER)
    assert names(wish) == {
        "verified_claims",
        "verified_claims.verification",
        "verified_claims.verification.trust_framework",
        "verified_claims.verification.evidence",
        "verified_claims.verification.evidence.type",
        "verified_claims.verification.evidence.document_details",
        "verified_claims.verification.evidence.document_details.type",
        "verified_claims.claims",
        "verified_claims.claims.birthdate",
    }
