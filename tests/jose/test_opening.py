"""What somebody encrypted to us: opened where that is safe, and otherwise left shut."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwe import JWERegistry
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from broker import jose
from broker.keyring import SealBroken, Unlock

EC = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
STRANGER = ECKey.generate_key("P-256")
KEYS = tuple(jose.decryption_key(key.as_pem(private=True), Unlock()) for key in (EC, RSA))


def sealed(alg: str, enc: str, key: ECKey | RSAKey | OctKey, **header: object) -> str:
    registry = JWERegistry(algorithms=[alg, enc], strict_check_header=False)
    return jwe.encrypt_compact({"alg": alg, "enc": enc, **header}, "a.b.c", key, registry=registry)


ADMITTED = [
    ("ECDH-ES", "A128GCM", EC),
    ("ECDH-ES+A256KW", "A256GCM", EC),
    ("ECDH-ES+A128KW", "A128CBC-HS256", EC),
    ("RSA-OAEP", "A256CBC-HS512", RSA),
    ("RSA-OAEP-256", "A256GCM", RSA),
]


@pytest.mark.parametrize(
    ("alg", "enc", "key"), ADMITTED, ids=lambda v: v if isinstance(v, str) else ""
)
def test_what_is_for_us_is_opened(alg: str, enc: str, key: ECKey | RSAKey) -> None:
    assert jose.decrypt(sealed(alg, enc, key, cty="JWT", iss="x"), KEYS) == "a.b.c"


def test_what_is_for_others_stays_shut() -> None:
    with pytest.raises(jose.NotForUs):
        jose.decrypt(sealed("ECDH-ES", "A256GCM", STRANGER), KEYS)


def test_what_was_touched_stays_shut() -> None:
    head, _, tag = sealed("ECDH-ES+A256KW", "A256GCM", EC).rpartition(".")
    other = base64.urlsafe_b64encode(bytes(16)).rstrip(b"=").decode()
    for touched in (f"{head}.{other}", f"{head}.{tag[:8]}", f"{head}.", f"{head}.{tag}."):
        with pytest.raises(jose.SignatureRejected):
            jose.decrypt(touched, KEYS)


def headed(token: str, **header: object) -> str:
    """The token under another header."""
    raw = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([raw, *token.split(".")[1:]])


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RSA1_5", "enc": "A256GCM"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2c": 2**31, "p2s": "AAAA"},
        {"alg": "dir", "enc": "A256GCM"},
        {"alg": "A256KW", "enc": "A256GCM"},
        {"alg": "ECDH-ES", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "ECDH-ES", "enc": "A256GCM", "crit": ["x"]},
        {"alg": "ECDH-ES", "enc": "none"},
        {"alg": ["ECDH-ES"], "enc": "A256GCM"},
        {"alg": "ECDH-ES"},
        {},
    ],
)
def test_what_costs_or_leaks_is_not_opened(header: dict[str, object]) -> None:
    with pytest.raises(jose.NotForUs):
        jose.decrypt(headed(sealed("ECDH-ES", "A256GCM", EC), **header), KEYS)


def test_a_huge_token_is_not_looked_at() -> None:
    with pytest.raises(jose.NotForUs):
        jose.decrypt("a" * 40_000 + "....", KEYS)


def test_only_keys_that_open_are_taken_from_files() -> None:
    with pytest.raises(SealBroken):
        jose.decryption_key(OKPKey.generate_key("Ed25519").as_pem(private=True), Unlock())
    with pytest.raises(SealBroken):
        jose.decryption_key(b"no key", Unlock())


def test_the_public_halves_are_published_to_encrypt_to() -> None:
    listed = jose.published(KEYS)
    assert [key["use"] for key in listed] == ["enc", "enc"]
    assert all("d" not in key and key["kid"] for key in listed)


@given(st.text(alphabet="abcAB01-_.", max_size=200))
def test_nothing_else_is_raised(token: str) -> None:
    with pytest.raises(jose.SignatureRejected):
        jose.decrypt(token, KEYS)
