"""The only home of JOSE: sign and verify compact JWS with joserfc (RFC 7515, RFC 7519)."""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from broker.keyring import Keyring, PrivateKey, SigningKey

SIZE_LIMIT = 16 * 1024
"""Bytes of a compact JWS that we are willing to look at."""


VERIFIABLE: Mapping[str, Mapping[str, str]] = {
    "ES256": {"kty": "EC", "crv": "P-256"},
    "RS256": {"kty": "RSA"},
    "PS256": {"kty": "RSA"},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
}
"""Each signature algorithm that we look at, and the kind of public key it takes."""

_PUBLIC = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}
_KINDS: Mapping[str, type[ECKey | RSAKey | OKPKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
_REFUSED_HEADERS = frozenset({"crit", "jku", "x5u", "b64"})
_SEGMENT = re.compile("[A-Za-z0-9_-]+")


class SignatureRejected(Exception):
    """The token is malformed, or no key that we know made its signature."""


class KeyNotFound(SignatureRejected):
    """No key of the set fits the token's header: a newer key set may have it."""


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


def verify_with(
    unverified_token: str,
    jwks: Mapping[str, Any],
    *,
    algorithms: Collection[str],
    typ: Collection[str] | None,
) -> SignedClaims:
    """The claims of a token that somebody else signed, with a key of their JWK Set.

    `algorithms` is a choice of VERIFIABLE. `typ` lists media types that the header may name, in
    any case, with or without "application/"; None: not looked at. Keys that came with the token
    are never used. No claim is looked at. Raises KeyNotFound or SignatureRejected.
    """
    header, claims = _parts(unverified_token, algorithms, typ)
    if "jwk" in header:
        raise SignatureRejected("a key in the header")
    key = _chosen(header, jwks)
    _check_signature(unverified_token, header["alg"], key)
    return SignedClaims(header, claims)


def verify_embedded(
    unverified_token: str, *, algorithms: Collection[str], typ: Collection[str] | None
) -> tuple[SignedClaims, Mapping[str, Any]]:
    """The claims of a token signed by the public key in its own header, and that key.

    It proves possession of the key and nothing else: a DPoP proof (RFC 9449 §4.2). Raises
    SignatureRejected.
    """
    header, claims = _parts(unverified_token, algorithms, typ)
    key = header.get("jwk")
    if not isinstance(key, dict) or _PRIVATE & key.keys() or not _fits(key, header["alg"]):
        raise SignatureRejected("no public key for this algorithm in the header")
    _check_signature(unverified_token, header["alg"], key)
    return SignedClaims(header, claims), key


def unverified_claims(unverified_token: str) -> dict[str, Any]:
    """What a token says, believed by nobody yet: to find whose keys must verify it.

    Raises SignatureRejected where it is not a JWS over a JSON object.
    """
    return _parts(unverified_token, VERIFIABLE, None)[1]


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """The RFC 7638 SHA-256 thumbprint of a public key. Raises SignatureRejected."""
    return str(_imported(jwk).thumbprint())


def public_der(jwk: Mapping[str, Any]) -> bytes:
    """A public key as SubjectPublicKeyInfo, as certificates hold it. Raises SignatureRejected."""
    return bytes(_imported(jwk).as_der(private=False))


def jwks(keyring: Keyring) -> dict[str, Any]:
    """The public keys, the future ones included (RFC 7517 §5)."""
    return {"keys": [_public(key) for key in keyring.signing]}


def thumbprint(key: SigningKey) -> str:
    """The key's `kid`: its RFC 7638 SHA-256 thumbprint."""
    return str(_jwk(key).thumbprint())


def half_hash(text: str) -> str:
    """`at_hash`: the left half of SHA-256, base64url (OpenID Connect Core §3.1.3.6)."""
    return _b64(hashlib.sha256(text.encode("ascii")).digest()[:16]).decode("ascii")


def _parts(
    unverified_token: str, algorithms: Collection[str], typ: Collection[str] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a well-formed compact JWS; its signature is not looked at."""
    if len(unverified_token) > SIZE_LIMIT:
        raise SignatureRejected("too long")
    segments = unverified_token.split(".")
    if len(segments) != 3:  # noqa: PLR2004  header, payload, signature
        raise SignatureRejected("not three segments")
    header, claims = (_object(_unb64(segment)) for segment in segments[:2])
    _unb64(segments[2])
    if header.get("alg") not in set(algorithms) & VERIFIABLE.keys():
        raise SignatureRejected("algorithm not allowed")
    if _REFUSED_HEADERS & header.keys():
        raise SignatureRejected("header parameter not understood")
    if typ is not None and _media_type(header.get("typ")) not in {_media_type(t) for t in typ}:
        raise SignatureRejected("another kind of token")
    return header, claims


def _chosen(header: Mapping[str, Any], jwks: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one key of the set that the header means (RFC 7515 §4.1.4)."""
    listed = jwks.get("keys")
    keys = [k for k in listed if isinstance(k, dict)] if isinstance(listed, list) else []
    fitting = [key for key in keys if _fits(key, header["alg"])]
    if "kid" in header:
        fitting = [key for key in fitting if key.get("kid") == header["kid"]]
    if not fitting:
        raise KeyNotFound("no such key")
    if len(fitting) > 1:
        raise SignatureRejected("several keys fit")
    return fitting[0]


def _fits(key: Mapping[str, Any], alg: str) -> bool:
    operations = key.get("key_ops", ["verify"])
    return (
        VERIFIABLE[alg].items() <= {n: v for n, v in key.items() if isinstance(v, str)}.items()
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
        and isinstance(operations, list)
        and "verify" in operations
    )


def _imported(jwk: Mapping[str, Any]) -> ECKey | RSAKey | OKPKey:
    """The public half of a key, alone: what else its owner wrote beside it is not ours to read."""
    kind = jwk.get("kty")
    if kind not in _PUBLIC or not all(isinstance(jwk.get(name), str) for name in _PUBLIC[kind]):
        raise SignatureRejected("not a public key")
    public = {name: jwk[name] for name in ("kty", *_PUBLIC[kind])}
    for name in set(public) - {"kty", "crv"}:
        _unb64(public[name])
    try:
        key = _KINDS[kind].import_key(public)
        numbers = key.public_key.public_numbers() if isinstance(key, RSAKey) else key.public_key
    except (JoseError, ValueError, KeyError) as error:
        raise SignatureRejected("not a public key") from error
    if isinstance(numbers, rsa.RSAPublicNumbers) and not _bearable(numbers):
        raise SignatureRejected("unsuitable RSA key")
    return key


def _bearable(numbers: rsa.RSAPublicNumbers) -> bool:
    """2048 bits at least (RFC 7518 §3.3); a huge key would make each verification our burden."""
    return 2048 <= numbers.n.bit_length() <= 8192 and numbers.e.bit_length() <= 33  # noqa: PLR2004


def _check_signature(unverified_token: str, alg: str, jwk: Mapping[str, Any]) -> None:
    signed, _, signature = unverified_token.rpartition(".")
    key = _imported(jwk)
    try:
        held = JWSRegistry.algorithms[alg].verify(signed.encode("ascii"), _unb64(signature), key)
    except (JoseError, ValueError) as error:
        raise SignatureRejected(type(error).__name__) from error
    if not held:
        raise SignatureRejected("signature does not hold")


def _media_type(typ: object) -> object:
    """A `typ` as compared: RFC 7515 §4.1.9 lets "application/" go; media types have no case."""
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else typ


def _object(text: bytes) -> dict[str, Any]:
    """A JSON object without duplicate members, lone surrogates or infinite numbers."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise SignatureRejected("not JSON") from error
    if not isinstance(value, dict):
        raise SignatureRejected("not a JSON object")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("duplicate member")
    return dict(pairs)


def _unb64(segment: str) -> bytes:
    """Bytes of base64url in its one right spelling (RFC 7515 §2): no padding, no spare bits."""
    if _SEGMENT.fullmatch(segment) and len(segment) % 4 != 1:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        if _b64(raw).decode("ascii") == segment:
            return raw
    raise SignatureRejected("not base64url")


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
