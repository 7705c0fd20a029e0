"""Encrypting to a client's key: read back by other hands than those that wrote it."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from joserfc.jwk import ECKey, OKPKey

from broker import jose
from broker.jose.cipher import CONTENT_ALGORITHMS, KEY_ALGORITHMS
from tests.conftest import _KEYS, NOON
from tests.signing import ClientKey, a_key

EC = ClientKey(ec.generate_private_key(ec.SECP256R1()), kid="enc-1")
RSA = a_key("RS256", kid="enc-2")


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def header_of(token: str) -> dict[str, Any]:
    return dict(json.loads(raw(token.split(".", maxsplit=1)[0])))


def agreed(epk: dict[str, str], name: str, size: int) -> bytes:
    """RFC 7518 §4.6.2: Concat KDF with AlgorithmID, no party information, SuppPubInfo."""
    x, y = (int.from_bytes(raw(epk[part]), "big") for part in ("x", "y"))
    theirs = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    assert isinstance(EC.private, ec.EllipticCurvePrivateKey)
    shared = EC.private.exchange(ec.ECDH(), theirs)
    told = len(name).to_bytes(4, "big") + name.encode() + bytes(8) + (size * 8).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), size, told).derive(shared)


def decrypted(token: str) -> bytes:
    """The plaintext, by cryptography alone, with the step of each standard written out."""
    first, wrapped, iv, text, tag = token.split(".")
    header = header_of(token)
    size = 32 if header["enc"] == "A256GCM" else 16
    if header["alg"] == "RSA-OAEP-256":
        assert isinstance(RSA.private, rsa.RSAPrivateKey)
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        key = RSA.private.decrypt(raw(wrapped), oaep)
    elif header["alg"] == "ECDH-ES":
        assert wrapped == ""
        key = agreed(header["epk"], header["enc"], size)
    else:
        key = aes_key_unwrap(agreed(header["epk"], header["alg"], 32), raw(wrapped))
    assert len(key) == size
    return AESGCM(key).decrypt(raw(iv), raw(text) + raw(tag), first.encode())


@pytest.mark.parametrize("enc", CONTENT_ALGORITHMS)
@pytest.mark.parametrize("alg", KEY_ALGORITHMS)
def test_a_nested_token_is_read_by_the_client_alone_and_still_signed(alg: str, enc: str) -> None:
    inner = jose.sign({"sub": "é"}, _KEYS, "ES256", NOON)
    keys = (RSA if alg.startswith("RSA") else EC).key_set
    token = jose.encrypt(inner, keys, alg=alg, enc=enc, cty="JWT")
    header = header_of(token)
    assert (header["alg"], header["enc"], header["cty"]) == (alg, enc, "JWT")
    assert header["kid"] == keys["keys"][0]["kid"]
    assert jose.verify(decrypted(token).decode(), _KEYS).claims == {"sub": "é"}


def test_the_same_text_never_becomes_the_same_token() -> None:
    tokens = {jose.encrypt("a", EC.key_set, alg="ECDH-ES", enc="A256GCM", cty=None) for _ in "abc"}
    assert len(tokens) == 3
    assert len({token.split(".")[2] for token in tokens}) == 3


def test_what_is_no_token_inside_is_not_called_one() -> None:
    token = jose.encrypt(b"{}", EC.key_set, alg="ECDH-ES", enc="A256GCM", cty=None)
    assert "cty" not in header_of(token)
    assert decrypted(token) == b"{}"


def test_a_key_for_signatures_is_never_encrypted_to() -> None:
    signing, encrypting = EC.public | {"use": "sig", "kid": "a"}, EC.public | {"use": "enc"}
    keys = {"keys": [signing, {"kty": "oct", "k": "AAAA"}, encrypting]}
    token = jose.encrypt("a", keys, alg="ECDH-ES", enc="A256GCM", cty=None)
    assert header_of(token)["kid"] == "enc-1"
    with pytest.raises(jose.KeyNotFound):
        jose.encrypt("a", {"keys": [signing]}, alg="ECDH-ES", enc="A256GCM", cty=None)


@pytest.mark.parametrize(
    "key",
    [
        EC.public | {"alg": "ECDH-ES+A256KW"},
        EC.public | {"crv": "secp256k1"},
        EC.public | {"x": "AAAA"},
        a_key("EdDSA").public,
        RSA.public,
        {"kty": ["EC"]},
        {},
    ],
)
def test_without_a_fitting_key_nothing_is_encrypted(key: dict[str, Any]) -> None:
    with pytest.raises(jose.KeyNotFound):
        jose.encrypt("a", {"keys": [key]}, alg="ECDH-ES", enc="A256GCM", cty=None)


@pytest.mark.parametrize(
    "key", [ECKey.generate_key("P-384"), ECKey.generate_key("P-521"), OKPKey.generate_key("X25519")]
)
def test_the_other_curves_serve_too(key: ECKey | OKPKey) -> None:
    from joserfc import jwe

    keys = {"keys": [key.as_dict(private=False)]}
    token = jose.encrypt("a", keys, alg="ECDH-ES", enc="A128GCM", cty=None)
    assert jwe.decrypt_compact(token, key, algorithms=["ECDH-ES", "A128GCM"]).plaintext == b"a"
