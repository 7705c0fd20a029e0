"""The only home of JOSE: sign and verify compact JWS with joserfc (RFC 7515, RFC 7519)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey

from broker.keyring import Keyring, PrivateKey, SigningKey

SIZE_LIMIT = 16 * 1024
"""Bytes of a compact JWS that we are willing to look at."""


class SignatureRejected(Exception):
    """The token is malformed, or no key of ours made its signature."""


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """Claims whose signature one of our own keys made."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def sign(
    claims: Mapping[str, Any], keyring: Keyring, alg: str, now: datetime, typ: str = "JWT"
) -> str:
    """A compact JWS over `claims` by the key that signs with `alg` now.

    Raises KeysMissing where no such key has begun.
    """
    key = keyring.active(alg, now)
    header = {"alg": alg, "kid": thumbprint(key), "typ": typ}
    signing_input = b".".join(_b64(_json(part)) for part in (header, claims))
    return (signing_input + b"." + _b64(_signature(key.key, signing_input))).decode("ascii")


def verify(unverified_token: str, keyring: Keyring, typ: str = "JWT") -> SignedClaims:
    """The claims of a token that we signed ourselves, with any published key.

    Expiry is not looked at: an ID token given back as a hint may be old (Core §3.1.2.1).
    Raises SignatureRejected.
    """
    if len(unverified_token) > SIZE_LIMIT:
        raise SignatureRejected("too long")
    keys = KeySet([_jwk(key) for key in keyring.signing])
    try:
        signed = jws.deserialize_compact(unverified_token, keys, algorithms=["ES256", "RS256"])
        claims = json.loads(signed.payload)
    except (JoseError, ValueError) as error:
        raise SignatureRejected(type(error).__name__) from error
    header = signed.headers()
    if header.get("typ") != typ or not isinstance(claims, dict):
        raise SignatureRejected("another kind of token")
    return SignedClaims(header, claims)


def jwks(keyring: Keyring) -> dict[str, Any]:
    """The public keys, the future ones included (RFC 7517 §5)."""
    return {"keys": [_public(key) for key in keyring.signing]}


def thumbprint(key: SigningKey) -> str:
    """The key's `kid`: its RFC 7638 SHA-256 thumbprint."""
    return str(_jwk(key).thumbprint())


def half_hash(text: str) -> str:
    """`at_hash`: the left half of SHA-256, base64url (OpenID Connect Core §3.1.3.6)."""
    return _b64(hashlib.sha256(text.encode("ascii")).digest()[:16]).decode("ascii")


@cache
def _jwk(key: SigningKey) -> ECKey | RSAKey:
    pem = key.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    bare = (ECKey if key.alg == "ES256" else RSAKey).import_key(pem)
    parameters: KeyParameters = {"use": "sig", "alg": key.alg, "kid": bare.thumbprint()}
    return type(bare).import_key(pem, parameters)


def _public(key: SigningKey) -> dict[str, Any]:
    return dict(_jwk(key).as_dict(private=False))


def _signature(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")  # RFC 7518 §3.4


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
