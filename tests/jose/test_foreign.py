"""Verifying what others sign: the vectors of the standards, and everything that must not pass."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from broker import jose
from broker.jose import foreign
from tests.signing import ClientKey, a_key

ALL = tuple(jose.VERIFIABLE)
CLAIMS = {"iss": "service", "n": 1}

RSA_2048: dict[str, Any] = a_key("RS256").public


def b64(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def verified(token: str, keys: dict[str, Any], **expected: Any) -> dict[str, Any]:
    ordinary: dict[str, Any] = {"algorithms": ALL, "typ": None}
    return dict(jose.verify_with(token, keys, **(ordinary | expected)).claims)


def refused(token: str, keys: dict[str, Any], why: str | None, **expected: Any) -> None:
    with pytest.raises(jose.SignatureRejected, match=why):
        verified(token, keys, **expected)


# Vectors

JOE = (
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
RFC7515_A2 = {
    "kty": "RSA",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0"
    "Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvU"
    "K-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "e": "AQAB",
}
RFC7515_A2_SIGNATURE = (
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju"
    "jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe"
    "7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8n"
    "p6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
RFC7515_A3 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
RFC8037_A2 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
RFC7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK"
    "RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic"
    "AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"
    "XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


def test_rfc_7515_a2_rs256_verifies() -> None:
    token = f"eyJhbGciOiJSUzI1NiJ9.{JOE}.{RFC7515_A2_SIGNATURE}"
    assert verified(token, {"keys": [RFC7515_A2]})["iss"] == "joe"


def test_rfc_7515_a3_es256_verifies() -> None:
    signature = (
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    token = f"eyJhbGciOiJFUzI1NiJ9.{JOE}.{signature}"
    assert verified(token, {"keys": [RFC7515_A3]})["exp"] == 1300819380


def test_rfc_8037_a4_eddsa_verifies_and_is_no_set_of_claims() -> None:
    signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    signature = (
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    foreign._check("EdDSA", RFC8037_A2, signed.encode(), base64.urlsafe_b64decode(signature + "=="))
    refused(f"{signed}.{signature}", {"keys": [RFC8037_A2]}, "JSON")


def test_rfc_7638_and_rfc_8037_thumbprints() -> None:
    rsa_key = {"kty": "RSA", "n": RFC7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert jose.thumbprint_of(rsa_key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert jose.thumbprint_of(RFC8037_A2) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


# What passes


@pytest.mark.parametrize("alg", ALL)
def test_a_key_of_the_set_verifies(alg: str) -> None:
    key = a_key(alg)
    assert verified(key.sign(CLAIMS), key.key_set) == CLAIMS
    assert jose.unverified_claims(key.sign(CLAIMS)) == CLAIMS


def test_a_set_of_one_fitting_key_needs_no_kid() -> None:
    key, other = a_key(), a_key("EdDSA")
    keys = {"keys": [key.public, other.public, {"kty": "oct", "k": "AAAA"}, "no key", {}]}
    assert verified(key.sign(CLAIMS, kid=None), keys) == CLAIMS


def test_two_fitting_keys_need_a_kid() -> None:
    key, other = a_key(kid="a"), a_key(kid="b")
    keys = {"keys": [other.public, key.public]}
    assert verified(key.sign(CLAIMS), keys) == CLAIMS
    refused(key.sign(CLAIMS, kid=None), keys, "several")


def test_of_two_keys_of_one_name_the_algorithm_tells() -> None:
    key, other = a_key(kid="a"), a_key("EdDSA", kid="a")
    assert verified(key.sign(CLAIMS), {"keys": [other.public, key.public]}) == CLAIMS


@pytest.mark.parametrize("typ", ["dpop+jwt", "DPoP+JWT", "application/dpop+jwt"])
def test_a_media_type_has_no_case_and_may_lose_its_application(typ: str) -> None:
    # RFC 7515 §4.1.9
    key = a_key()
    assert verified(key.sign(CLAIMS, typ=typ), key.key_set, typ=["dpop+jwt"]) == CLAIMS


def test_an_unknown_header_parameter_is_ignored() -> None:
    # RFC 7515 §4: understood or ignored, unless `crit` says otherwise.
    key = a_key()
    assert verified(key.sign(CLAIMS, **{"x-tenant": 1}), key.key_set) == CLAIMS


# What must not


@pytest.mark.parametrize("typ", [None, "JWT", 1, ["dpop+jwt"], "application/", "dpop+jwt "])
def test_another_type_is_refused(typ: object) -> None:
    key = a_key()
    refused(key.sign(CLAIMS, typ=typ), key.key_set, "another kind", typ=["dpop+jwt"])


def test_an_algorithm_that_is_not_allowed_is_refused() -> None:
    key = a_key()
    refused(key.sign(CLAIMS), key.key_set, "algorithm", algorithms=["PS256"])
    refused(key.sign(CLAIMS), key.key_set, "algorithm", algorithms=[])


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "ES384", "", None, 1, ["ES256"]])
def test_none_symmetric_and_unknown_algorithms_are_refused_even_when_allowed(alg: object) -> None:
    token = f"{b64({'alg': alg})}.{b64(CLAIMS)}.AAAA"
    keys = {"keys": [{"kty": "oct", "k": "AAAA"}]}
    refused(token, keys, "algorithm", algorithms=[*ALL, "none", "HS256", "ES384"])


@pytest.mark.parametrize("name", ["crit", "b64", "jku", "x5u"])
def test_headers_that_change_the_meaning_or_name_other_keys_are_refused(name: str) -> None:
    key = a_key()
    refused(key.sign(CLAIMS, **{name: ["x"]}), key.key_set, "header parameter")


def test_a_key_in_the_header_is_refused_where_a_set_decides() -> None:
    key = a_key()
    refused(key.sign(CLAIMS, jwk=key.public), key.key_set, "in the header")


def test_a_key_that_is_not_in_the_set_is_told_apart_from_a_bad_signature() -> None:
    key, other = a_key(kid="a"), a_key(kid="b")
    with pytest.raises(jose.KeyNotFound):
        verified(key.sign(CLAIMS), other.key_set)
    with pytest.raises(jose.SignatureRejected, match="hold") as bad:
        verified(key.sign(CLAIMS, kid="b"), other.key_set)
    assert not isinstance(bad.value, jose.KeyNotFound)


@pytest.mark.parametrize(
    "changed",
    [
        {"use": "enc"},
        {"alg": "ES384"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"crv": "P-384"},
        {"kty": "RSA"},
        {"kty": ["EC"]},
        {"kid": ["key-1"]},
    ],
)
def test_a_key_that_is_for_something_else_does_not_verify(changed: dict[str, Any]) -> None:
    key = a_key()
    with pytest.raises(jose.KeyNotFound):
        verified(key.sign(CLAIMS), {"keys": [key.public | changed]})


@pytest.mark.parametrize(
    "keys", [{}, {"keys": {}}, {"keys": None}, {"keys": []}, {"keys": [None, 1, "a", []]}]
)
def test_a_set_that_is_none_has_no_key(keys: dict[str, Any]) -> None:
    with pytest.raises(jose.KeyNotFound):
        verified(a_key().sign(CLAIMS), keys)


@pytest.mark.parametrize(
    "changed",
    [
        {"x": "AAAA"},
        {"x": None},
        {"x": 1},
        {"y": a_key().public["y"]},  # off the curve
        {"x": a_key().public["x"] + "="},
    ],
)
def test_a_broken_key_is_refused(changed: dict[str, Any]) -> None:
    key = a_key()
    refused(key.sign(CLAIMS), {"keys": [key.public | changed]}, "base64url|not a public key|hold")


def rsa_jwk(n: int, e: int) -> dict[str, Any]:
    return {"kty": "RSA", "n": b64(n.to_bytes(-(-n.bit_length() // 8), "big")),
            "e": b64(e.to_bytes(-(-e.bit_length() // 8), "big"))}  # fmt: skip


@pytest.mark.parametrize(
    ("n", "e"),
    [((1 << 1024) + 1, 65537), ((1 << 9000) + 1, 65537), ((1 << 2047) + 1, (1 << 64) + 1)],
)
def test_rsa_keys_that_are_weak_or_a_burden_are_refused(n: int, e: int) -> None:
    token = a_key("RS256").sign(CLAIMS)
    refused(token, {"keys": [rsa_jwk(n, e)]}, "key|hold")
    with pytest.raises(jose.SignatureRejected):
        jose.thumbprint_of(rsa_jwk(n, e))


def test_a_signature_in_der_is_not_one() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    key = ClientKey(private)
    signed = key.sign(CLAIMS).rpartition(".")[0]
    der = private.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    refused(f"{signed}.{b64(der)}", key.key_set, "hold")


def test_a_null_signature_is_refused() -> None:
    # r = s = 0, which some verifiers have taken for good.
    key = a_key()
    signed = key.sign(CLAIMS).rpartition(".")[0]
    refused(f"{signed}.{b64(bytes(64))}", key.key_set, "hold|Error")


def test_a_token_longer_than_16_kib_is_refused_unread() -> None:
    key = a_key()
    token = key.sign({"a": "x" * 20_000})
    refused(token, key.key_set, "too long")
    with pytest.raises(jose.SignatureRejected):
        jose.unverified_claims(token)


# The key in the header


def test_the_key_in_the_header_verifies_and_is_handed_back() -> None:
    key = a_key()
    public = {k: v for k, v in key.public.items() if k != "kid"}
    token = key.sign(CLAIMS, jwk=public, kid=None, typ="dpop+jwt")
    signed, jwk = jose.verify_embedded(token, algorithms=ALL, typ=["dpop+jwt"])
    assert (signed.claims, jwk) == (CLAIMS, public)


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        "key",
        {},
        {"kty": "oct", "k": "AAAA"},
        a_key("EdDSA").public,
        a_key().public | {"d": "AAAA"},
        RSA_2048,
    ],
)
def test_no_key_a_private_one_or_one_of_another_kind_in_the_header_is_refused(jwk: object) -> None:
    with pytest.raises(jose.SignatureRejected, match="in the header"):
        jose.verify_embedded(a_key().sign(CLAIMS, jwk=jwk), algorithms=ALL, typ=None)


def test_anothers_key_in_the_header_is_refused() -> None:
    token = a_key().sign(CLAIMS, jwk=a_key().public)
    with pytest.raises(jose.SignatureRejected, match="hold"):
        jose.verify_embedded(token, algorithms=ALL, typ=None)


# Anything at all

KEY = a_key()
TOKEN = KEY.sign(CLAIMS)
SETS: dict[str, Any] = {"keys": [KEY.public]}


@settings(max_examples=300)
@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABCabc019-_.= \n\u0661é"))
def test_no_changed_character_passes(at: int, character: str) -> None:
    changed = TOKEN[:at] + character + TOKEN[at + 1 :]
    if changed != TOKEN:
        refused(changed, SETS, None)


@given(st.text(max_size=200))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    refused(text, SETS, None)
    with pytest.raises(jose.SignatureRejected):
        jose.unverified_claims(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["alg", "kid", "jwk", "typ", "kty", "crv", "x", "y", "n", "e", "use", "a"])


@given(st.dictionaries(NAMES, JSON_VALUES), st.dictionaries(NAMES, JSON_VALUES))
def test_no_header_and_no_key_set_does_anything_but_refuse(
    header: dict[str, Any], key: dict[str, Any]
) -> None:
    token = f"{b64({'alg': 'ES256'} | header)}.{b64(CLAIMS)}.{b64(bytes(64))}"
    refused(token, {"keys": [{"kty": "EC", "crv": "P-256"} | key]}, None)
    with pytest.raises(jose.SignatureRejected):
        jose.verify_embedded(token, algorithms=ALL, typ=None)
