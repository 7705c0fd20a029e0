"""Tokens of our own: sign, verify, publish the keys (RFC 7515, RFC 7519)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey, KeyParameters, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from broker.jose.compact import SignatureRejected, base64url, parts
from broker.keyring import ALGORITHMS, Keyring, SigningKey

_KINDS: Mapping[str, type[ECKey | RSAKey | OKPKey]] = {
    "ES256": ECKey,
    "RS256": RSAKey,
    "PS256": RSAKey,
    "EdDSA": OKPKey,
}
_HASHES = {"ES256": "sha256", "RS256": "sha256", "PS256": "sha256", "EdDSA": "sha512"}


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """Claims whose signature holds."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def sign(
    claims: Mapping[str, Any], keyring: Keyring, alg: str, now: datetime, typ: str = "JWT"
) -> str:
    """A compact JWS over `claims` by the key that signs with `alg` now.

    Raises KeysMissing where no such key has begun.
    """
    key = keyring.active(alg, now)
    signing_input = _header(key, typ) + b"." + base64url(_json(claims))
    return (signing_input + b"." + base64url(key.sign(signing_input))).decode("ascii")


@lru_cache(maxsize=64)
def _header(key: SigningKey, typ: str) -> bytes:
    return base64url(_json({"alg": key.alg, "kid": thumbprint(key), "typ": typ}))


def prove(claims: Mapping[str, Any], keyring: Keyring, alg: str, now: datetime, typ: str) -> str:
    """As `sign`, but with the public key itself in the header: a DPoP proof (RFC 9449 §4.2)."""
    key = keyring.active(alg, now)
    public = _jwk(key).as_dict(private=False)
    jwk = {name: public[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in public}
    signing_input = b".".join(
        base64url(_json(part)) for part in ({"alg": alg, "jwk": jwk, "typ": typ}, claims)
    )
    return (signing_input + b"." + base64url(key.sign(signing_input))).decode("ascii")


def verify(unverified_token: str, keyring: Keyring, typ: str = "JWT") -> SignedClaims:
    """The claims of a token that we signed ourselves, with any published key.

    Expiry is not looked at: an ID token given back as a hint may be old (Core §3.1.2.1).
    Raises SignatureRejected.
    """
    told = parts(unverified_token, ALGORITHMS, None)
    named = (told.header["alg"], told.header.get("kid"))
    mine = [key for key in keyring.signing if (key.alg, thumbprint(key)) == named]
    if told.header.get("typ") != typ or not mine:
        raise SignatureRejected("another kind of token, or not a key of ours")
    if not JWSRegistry.algorithms[named[0]].verify(told.signed, told.signature, _jwk(mine[0])):
        raise SignatureRejected("the signature does not hold")
    return SignedClaims(told.header, told.unverified_claims)


def jwks(keyring: Keyring) -> dict[str, Any]:
    """The public keys, the future ones included (RFC 7517 §5)."""
    return {"keys": [dict(_jwk(key).as_dict(private=False)) for key in keyring.signing]}


def thumbprint(key: SigningKey) -> str:
    """The key's `kid`: its RFC 7638 SHA-256 thumbprint."""
    return str(_jwk(key).kid)


def half_hash(text: str, alg: str) -> str:
    """`at_hash`, `c_hash` or `s_hash`: the left half of a hash of `text`, base64url.

    The hash is the one that `alg` signs with (OpenID Connect Core §3.1.3.6): for Ed25519 that
    is SHA-512 (RFC 8032 §5.1), for the others SHA-256.
    """
    digest = hashlib.new(_HASHES[alg], text.encode("ascii")).digest()
    return base64url(digest[: len(digest) // 2]).decode("ascii")


@lru_cache(maxsize=64)
def _jwk(key: SigningKey) -> ECKey | RSAKey | OKPKey:
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    bare = _KINDS[key.alg].import_key(pem)
    parameters: KeyParameters = {"use": "sig", "alg": key.alg, "kid": bare.thumbprint()}
    return _KINDS[key.alg].import_key(pem, parameters)


def _json(value: Mapping[str, Any]) -> bytes:
    return _ENCODE(value).encode("utf-8")


_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
