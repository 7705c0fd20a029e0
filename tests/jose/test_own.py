"""Signing and verifying our own tokens."""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from hypothesis import given
from hypothesis import strategies as st
from jose import jwt as python_jose

from broker import jose
from broker.keyring import ALGORITHMS, Keyring, KeysMissing, SigningKey, generate
from tests.conftest import _KEYS, NOON


@pytest.mark.parametrize("alg", ALGORITHMS)
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
    assert len(jose.jwks(keys)["keys"]) == len(_KEYS.signing) + 1
    assert keys.active("ES256", NOON) == _KEYS.active("ES256", NOON)
    assert keys.active("ES256", NOON + timedelta(hours=1)) == keys.signing[-1]


def test_a_superseded_key_verifies_until_it_is_retired() -> None:
    old = jose.sign({"a": 1}, _KEYS, "ES256", NOON)
    keys = rotated(_KEYS, -1)
    assert jose.verify(old, keys).claims == {"a": 1}
    with pytest.raises(jose.SignatureRejected):
        jose.verify(old, replace(keys, signing=keys.signing[1:]))


def test_before_any_key_has_begun_nothing_is_signed() -> None:
    with pytest.raises(KeysMissing):
        jose.sign({}, _KEYS, "ES256", NOON - timedelta(days=2))


def test_a_changed_signature_or_claim_is_refused() -> None:
    for alg in ALGORITHMS:
        header, claims, signature = jose.sign({"a": 1}, _KEYS, alg, NOON).split(".")
        other = jose.sign({"a": 2}, _KEYS, alg, NOON).split(".")
        with pytest.raises(jose.SignatureRejected, match="hold"):
            jose.verify(f"{header}.{other[1]}.{signature}", _KEYS)
        with pytest.raises(jose.SignatureRejected, match="hold"):
            jose.verify(f"{header}.{claims}.{other[2]}", _KEYS)


def test_the_published_keys_name_their_one_algorithm_and_show_nothing_private() -> None:
    keys = jose.jwks(_KEYS)["keys"]
    assert [key["alg"] for key in keys] == list(ALGORITHMS)
    assert {key["use"] for key in keys} == {"sig"}
    assert [key["kid"] for key in keys] == [jose.thumbprint_of(key) for key in keys]
    assert not any({"d", "p", "q", "dp", "dq", "qi"} & key.keys() for key in keys)


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_python_jose_reads_what_we_sign(alg: str) -> None:
    token = jose.sign({"aud": "a", "n": "é"}, _KEYS, alg, NOON)
    key = next(k for k in jose.jwks(_KEYS)["keys"] if k["alg"] == alg)
    assert python_jose.decode(token, key, algorithms=[alg], audience="a")["n"] == "é"


def independently_checked(alg: str, token: str) -> None:
    """By cryptography alone. Raises InvalidSignature."""
    signed, _, text = token.rpartition(".")
    signature = base64.urlsafe_b64decode(text + "==")
    public: Any = _KEYS.active(alg, NOON).public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(signature, signed.encode())
    elif isinstance(public, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
        scheme = pss if alg == "PS256" else padding.PKCS1v15()
        public.verify(signature, signed.encode(), scheme, hashes.SHA256())
    else:
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        der = utils.encode_dss_signature(r, s)
        public.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_cryptography_alone_verifies_what_we_sign(alg: str) -> None:
    independently_checked(alg, jose.sign({"a": 1}, _KEYS, alg, NOON))


@pytest.mark.parametrize(
    ("alg", "hashed"),
    [("ES256", "sha256"), ("RS256", "sha256"), ("PS256", "sha256"), ("EdDSA", "sha512")],
)
def test_at_hash_is_the_left_half_of_the_hash_that_the_algorithm_signs_with(
    alg: str, hashed: str
) -> None:
    # OpenID Connect Core §3.1.3.6; Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
    digest = hashlib.new(hashed, b"token").digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    assert jose.half_hash("token", alg) == half.decode()


def test_at_hash_agrees_with_a_published_example() -> None:
    # OpenID Connect Core, appendix A.3: this access token, this at_hash, RS256.
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert jose.half_hash(token, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_proof_brings_its_public_key_and_no_other_half(alg: str) -> None:
    token = jose.prove({"htm": "GET"}, _KEYS, alg, NOON, "dpop+jwt")
    told, key = jose.verify_embedded(token, algorithms=[alg], typ=["dpop+jwt"])
    assert told.claims == {"htm": "GET"}
    assert not {"d", "p", "q", "kid"} & key.keys()
