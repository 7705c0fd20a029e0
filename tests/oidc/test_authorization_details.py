"""The authorization_details parameter, read: known types with their own members, or nothing."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.oidc.authorization_details import MOST, SIZE_LIMIT, read_details
from broker.oidc.strict_json import JsonRefused

REGISTERED = ("identity_verification",)
DETAIL = {"type": "identity_verification", "actions": ["verify"], "purpose": "File 7"}


def read(value: Any) -> Any:
    return read_details(json.dumps(value), REGISTERED)


def test_a_registered_type_with_its_own_members_is_read() -> None:
    assert read([DETAIL]) == (DETAIL,)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        None,
        DETAIL,
        [DETAIL] * (MOST + 1),
        ["x"],
        [{"actions": ["verify"]}],
        [{"type": "payment", "actions": ["verify"]}],
        [{"type": ["identity_verification"], "actions": ["verify"]}],
        [{"type": "identity_verification"}],
        [DETAIL | {"actions": []}],
        [DETAIL | {"actions": ["destroy"]}],
        [DETAIL | {"actions": "verify"}],
        [DETAIL | {"actions": [["verify"]]}],
        [DETAIL | {"surprise": 1}],
        [DETAIL | {"purpose": ""}],
        [DETAIL | {"purpose": "x" * 201}],
        [DETAIL | {"purpose": 1}],
        [DETAIL | {"locations": []}],
        [DETAIL | {"locations": [1]}],
        [DETAIL | {"identifier": None}],
    ],
)
def test_unknown_types_members_and_values_are_refused_as_rfc_9396_5_asks(value: Any) -> None:
    with pytest.raises(JsonRefused):
        read(value)


def test_a_type_that_the_client_did_not_register_is_refused() -> None:
    with pytest.raises(JsonRefused):
        read_details(json.dumps([DETAIL]), ())


def test_too_long_a_text_is_refused() -> None:
    with pytest.raises(JsonRefused):
        read_details("[" + " " * SIZE_LIMIT + "]", REGISTERED)


@given(
    st.text(max_size=80)
    | st.builds(
        json.dumps,
        st.lists(
            st.dictionaries(
                st.sampled_from(["type", "actions", "purpose", "locations", "identifier", "x"]),
                st.none() | st.integers() | st.sampled_from([*REGISTERED, "verify", ["verify"]]),
            ),
            max_size=3,
        ),
    )
)
def test_no_authorization_details_raise_anything_but_a_refusal(text: str) -> None:
    with suppress(JsonRefused):
        read_details(text, REGISTERED)
