"""The second opinion on an ID token: python-jose behind the guard, against joserfc alone."""

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given
from hypothesis import strategies as st

from broker import jose
from broker.demo.guard import TokenRefused, at_hash, verified_claims
from broker.keyring import Keyring, SigningKey
from tests.conftest import _KEYS, NOON

ISSUER, CLIENT, NONCE, ACCESS = "https://broker.test", "service", "n-1", "an access token"
NOW = int(NOON.timestamp())

CLAIMS = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "somebody",
    "exp": NOW + 600,
    "iat": NOW,
    "nonce": NONCE,
    "at_hash": at_hash(ACCESS),
}


def token(alg: str = "ES256", typ: str = "JWT", **changed: Any) -> str:
    claims = {k: v for k, v in (CLAIMS | changed).items() if v is not None}
    return jose.sign(claims, _KEYS, alg, NOON, typ)


def accepted(unverified: str, alg: str = "ES256", **expected: Any) -> dict[str, Any]:
    ordinary: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": CLIENT,
        "nonce": NONCE,
        "alg": alg,
        "access_token": ACCESS,
        "now": NOW,
    }
    return verified_claims(unverified, jose.jwks(_KEYS), **(ordinary | expected))


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_header(unverified: str, **changed: Any) -> str:
    head, rest = unverified.split(".", 1)
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    return f"{segment({k: v for k, v in (header | changed).items() if v is not None})}.{rest}"


def octets(written: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "==") for part in written.split(".")]


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_a_good_token_is_accepted(alg: str) -> None:
    assert accepted(token(alg), alg)["sub"] == "somebody"


@given(position=st.integers(0, 400), bit=st.integers(0, 5))
def test_any_changed_character_is_refused(position: int, bit: int) -> None:
    good = token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    position %= len(good)
    if good[position] == ".":
        return
    other = alphabet[alphabet.index(good[position]) ^ (1 << bit)]
    changed = good[:position] + other + good[position + 1 :]
    # Bits that fill up the last character say nothing, and may be passed over (RFC 4648 §3.5).
    assume(octets(changed) != octets(good))
    with pytest.raises(TokenRefused):
        accepted(changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "somebody else"},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "another"]},
        {"aud": None},
        {"iss": "https://evil.test"},
        {"iss": None},
        {"exp": NOW - 11},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": 1e20},
        {"iat": NOW + 60},
        {"iat": None},
        {"sub": None},
        {"nonce": "another"},
        {"nonce": None},
        {"azp": "another"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"at_hash": None},
    ],
)
def test_a_claim_that_is_not_ours_or_not_now_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        accepted(token(**changed))


def test_an_expired_token_is_refused_and_one_just_in_time_is_not() -> None:
    accepted(token(), now=NOW + 609)
    with pytest.raises(TokenRefused, match="expired"):
        accepted(token(), now=NOW + 610)


def test_a_token_of_another_sign_in_is_refused() -> None:
    with pytest.raises(TokenRefused, match="nonce"):
        accepted(token(), nonce="n-2")
    with pytest.raises(TokenRefused):
        accepted(token(), access_token="another")


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "RS256"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"kid": None},
        {"kid": "unknown"},
        {"kid": 7},
        {"typ": "at+jwt"},
        {"typ": None},
        {"crit": ["b64"]},
        {"jku": "https://evil.test/jwks"},
        {"jwk": {"kty": "oct", "k": "AA"}},
    ],
)
def test_a_header_that_says_otherwise_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        accepted(with_header(token(), **changed))


def test_another_kind_of_token_of_ours_is_refused() -> None:
    with pytest.raises(TokenRefused, match="typ"):
        accepted(token(typ="logout+jwt"))


GOOD = token(sub="-" * 40)


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", "a.b", "a.b.c", "a.b.c.d", "x" * 17_000),
        *(GOOD + ".", GOOD + "=", GOOD + " ", "\n" + GOOD, GOOD.replace(".", "..", 1)),
        *(GOOD + "A", GOOD[:-1], GOOD.replace("A", "+", 1), GOOD.replace("e", "é", 1)),
    ],
    ids=map(str, range(16)),  # signatures are random: their text is no name for a test
)
def test_what_is_no_strict_compact_jws_is_refused(text: str) -> None:
    with pytest.raises(TokenRefused):
        accepted(text)


def test_a_member_that_stands_twice_is_refused() -> None:
    _, payload, signature = token().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT","kid":"x","alg":"ES256"}').rstrip(
        b"="
    )
    with pytest.raises(TokenRefused, match="twice"):
        accepted(f"{header.decode()}.{payload}.{signature}")


def test_a_public_key_is_never_taken_for_a_secret() -> None:
    # python-jose 3.5 alone accepts this one when it is not told the algorithm.
    der = (
        _KEYS.signing[0]
        .key.public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    kid = jose.thumbprint(_KEYS.signing[0])
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{segment(CLAIMS)}"
    mac = base64.urlsafe_b64encode(hmac.digest(der, signed.encode(), "sha256")).rstrip(b"=")
    forged = f"{signed}.{mac.decode()}"
    for alg in ("ES256", "HS256"):
        with pytest.raises(TokenRefused):
            accepted(forged, alg)


def test_a_key_of_somebody_else_is_refused() -> None:
    stranger = SigningKey(
        "ES256", NOON - timedelta(days=1), ec.generate_private_key(ec.SECP256R1())
    )
    theirs = Keyring((stranger,), _KEYS.checkpoint, b"", b"", b"")
    unverified = jose.sign(CLAIMS, theirs, "ES256", NOON)
    for forged in (unverified, with_header(unverified, kid=jose.thumbprint(_KEYS.signing[0]))):
        with pytest.raises(TokenRefused):
            accepted(forged)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    with pytest.raises(TokenRefused):
        accepted(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists))
def test_no_header_or_payload_raises_anything_but_a_refusal(value: object) -> None:
    for text in (f"{segment(value)}.{segment(CLAIMS)}.AAAA", f"{segment({})}.{segment(value)}.AA"):
        with pytest.raises(TokenRefused):
            accepted(text)
