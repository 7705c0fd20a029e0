"""Signing and verifying our own tokens."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import jose
from broker.keyring import Keyring, KeysMissing, SigningKey, generate
from tests.conftest import _KEYS, NOON


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_what_was_signed_verifies(alg: str) -> None:
    signed = jose.verify(jose.sign({"a": "é"}, _KEYS, alg, NOON), _KEYS)
    assert signed.claims == {"a": "é"}
    assert signed.header["alg"] == alg


@given(st.text(max_size=100))
def test_no_text_is_anything_but_refused(text: str) -> None:
    with pytest.raises(jose.SignatureRejected):
        jose.verify(text, _KEYS)


def test_a_token_of_another_kind_or_size_is_refused() -> None:
    with pytest.raises(jose.SignatureRejected):
        jose.verify(jose.sign({}, _KEYS, "ES256", NOON, "logout+jwt"), _KEYS)
    with pytest.raises(jose.SignatureRejected):
        jose.verify(jose.sign({"a": "x" * 20_000}, _KEYS, "ES256", NOON), _KEYS)


def rotated(keys: Keyring, since_minutes: int) -> Keyring:
    newer = SigningKey("ES256", NOON + timedelta(minutes=since_minutes), generate("ES256"))
    return replace(keys, signing=(*keys.signing, newer))


def test_a_key_is_published_before_it_signs() -> None:
    keys = rotated(_KEYS, 60)
    assert len(jose.jwks(keys)["keys"]) == 3
    assert keys.active("ES256", NOON) == _KEYS.active("ES256", NOON)
    assert keys.active("ES256", NOON + timedelta(hours=1)) == keys.signing[-1]


def test_a_retired_key_still_verifies_until_its_file_is_gone() -> None:
    old = jose.sign({"a": 1}, _KEYS, "ES256", NOON)
    keys = rotated(_KEYS, -1)
    assert jose.verify(old, keys).claims == {"a": 1}
    with pytest.raises(jose.SignatureRejected):
        jose.verify(old, replace(keys, signing=keys.signing[1:]))


def test_before_any_key_has_begun_nothing_is_signed() -> None:
    with pytest.raises(KeysMissing):
        jose.sign({}, _KEYS, "ES256", NOON - timedelta(days=2))
