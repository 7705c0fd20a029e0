import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.authentication.message import (
    LIMIT,
    UnverifiedAssertion,
    base64url,
    parse_assertion,
    parse_attestation,
    parse_object,
)
from broker.errors import EvidenceRejected, TooLarge

ID = base64url(bytes(32))


def _assertion(**changes: Any) -> dict[str, Any]:
    response = {
        "clientDataJSON": "e30",
        "authenticatorData": "AAAA",
        "signature": "AAAA",
        "userHandle": "AAAA",
    }
    response.update(changes.pop("response", {}))
    return {"id": ID, "rawId": ID, "type": "public-key", "response": response, **changes}


def _reason(parse: Callable[[str], object], text: str) -> str:
    with pytest.raises(EvidenceRejected) as refusal:
        parse(text)
    assert refusal.value.code == "key_rejected"
    return refusal.value.hint


def test_a_whole_assertion_is_read() -> None:
    assert parse_assertion(json.dumps(_assertion())) == UnverifiedAssertion(
        bytes(32), b"{}", bytes(3), bytes(3), bytes(3)
    )


def test_an_absent_user_handle_is_none() -> None:
    for absent in (_assertion(response={"userHandle": None}), _assertion()):
        absent["response"].pop("userHandle") if absent["response"]["userHandle"] else None
        assert parse_assertion(json.dumps(absent)).user_handle is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (_assertion(type="password"), "message_malformed"),
        (_assertion(type=None), "message_malformed"),
        (_assertion(response=[]) | {"response": []}, "message_malformed"),
        (_assertion(id="other"), "credential_id_differs"),
        (_assertion(id=ID + "="), "credential_id_differs"),
        (_assertion(id=ID + "=", rawId=ID + "="), "message_malformed"),
        (_assertion(id="AAAA", rawId="AAAA"), "credential_id_length"),
        (_assertion(id="A" * 1368, rawId="A" * 1368), "credential_id_length"),
        (_assertion(rawId=7), "message_malformed"),
        (_assertion(response={"signature": "A+A/"}), "message_malformed"),
        (_assertion(response={"signature": "AAB"}), "message_malformed"),
        (_assertion(response={"signature": "A"}), "message_malformed"),
        (_assertion(response={"signature": None}), "message_malformed"),
        (_assertion(response={"userHandle": ""}), "user_handle_length"),
        (_assertion(response={"userHandle": "A" * 88}), "user_handle_length"),
        (_assertion(response={"userHandle": 1}), "message_malformed"),
    ],
)
def test_a_malformed_assertion_is_refused(message: dict[str, Any], reason: str) -> None:
    assert _reason(parse_assertion, json.dumps(message)) == reason


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", '"x"', "{", '{"a":1,"a":1}', '{"a":NaN}', "[" * 5000, '{"a":' * 5000],
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    assert _reason(parse_assertion, text) == "message_malformed"


def test_a_name_that_stands_twice_is_refused_at_any_depth() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse_object('{"a":{"b":1,"b":2}}')


def test_a_message_beyond_the_limit_is_not_parsed() -> None:
    text = json.dumps(_assertion())
    parse_assertion(text + " " * (LIMIT - len(text)))
    with pytest.raises(TooLarge):
        parse_assertion(text + " " * (LIMIT + 1 - len(text)))


def test_only_known_transports_are_kept_each_once() -> None:
    message = _assertion(
        response={"attestationObject": "AAAA", "transports": ["usb", "ufo", 7, "nfc", "usb"]}
    )
    assert parse_attestation(json.dumps(message)).transports == ("nfc", "usb")


def test_transports_that_are_no_list_are_refused() -> None:
    message = _assertion(response={"attestationObject": "AAAA", "transports": "usb"})
    assert _reason(parse_attestation, json.dumps(message)) == "message_malformed"


@pytest.mark.parametrize(
    ("results", "discoverable"),
    [
        ({"credProps": {"rk": True}}, True),
        ({"credProps": {"rk": False}}, False),
        ({"credProps": {"rk": "no"}}, None),
        ({"credProps": []}, None),
        ([], None),
        (None, None),
    ],
)
def test_what_the_client_says_of_discoverability(results: object, discoverable: object) -> None:
    message = _assertion(response={"attestationObject": "AAAA"}, clientExtensionResults=results)
    assert parse_attestation(json.dumps(message)).discoverable is discoverable


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.text() | json_values.map(json.dumps), st.sampled_from([parse_assertion, parse_attestation])
)
def test_parsing_anything_ends_in_a_refusal(text: str, parse: Callable[[str], object]) -> None:
    with pytest.raises(EvidenceRejected):
        parse(text)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("clientDataJSON", "authenticatorData", "signature", "userHandle"), json_values
        ),
    )
)
def test_parsing_any_response_ends_in_a_value_or_a_refusal(response: dict[str, Any]) -> None:
    try:
        parse_assertion(json.dumps(_assertion(response=response)))
    except EvidenceRejected as refusal:
        assert refusal.code == "key_rejected"  # noqa: PT017  either outcome is right
