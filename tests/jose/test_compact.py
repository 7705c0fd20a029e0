"""Reading a compact JWS strictly: one spelling of base64url, one reading of JSON."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.jose import SignatureRejected, unverified_claims
from broker.jose.compact import base64url, json_object, unbase64


@given(st.binary(min_size=1, max_size=50))
def test_what_was_written_is_read(raw: bytes) -> None:
    assert unbase64(base64url(raw).decode()) == raw


@given(st.text(alphabet="ABCQgw_-+/= \n09", min_size=1, max_size=8))
def test_no_bytes_have_two_spellings(text: str) -> None:
    try:
        raw = unbase64(text)
    except SignatureRejected:
        return
    assert base64url(raw).decode() == text


@pytest.mark.parametrize(
    "text", ["", "A", "AB==", "AB", "A+B/", "AA A", "AAA\n", "ÀAAA", "\u0661AAA"]
)
def test_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(SignatureRejected):
        unbase64(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"b":{"a":1,"a":2}}',
        b"[]",
        b"1",
        b"",
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":Infinity}',
        b'{"a":"\\ud800"}',
        b'{"\xff":1}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":' * 3000,
        b"[" * 12_000,
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1} x',
    ],
)
def test_json_with_two_readings_or_none_is_refused(text: bytes) -> None:
    with pytest.raises(SignatureRejected):
        json_object(text)


@given(st.binary(max_size=60))
def test_no_bytes_do_anything_but_parse_or_be_refused(text: bytes) -> None:
    try:
        assert isinstance(json_object(text), dict)
    except SignatureRejected:
        return


def test_unverified_claims_need_no_key_and_no_good_signature() -> None:
    middle = base64.urlsafe_b64encode(json.dumps({"iss": "a"}).encode()).rstrip(b"=").decode()
    assert unverified_claims(f"x.{middle}.y") == {"iss": "a"}
    for text in (middle, f"{middle}.{middle}", f"a.{middle}.b.c", "a.W10.b"):
        with pytest.raises(SignatureRejected):
            unverified_claims(text)
