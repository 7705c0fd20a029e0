"""Tokens that somebody else signed: with a key of their set, or with the key in the header."""

from collections.abc import Collection, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from broker.jose.compact import SignatureRejected, parts, unbase64
from broker.jose.own import SignedClaims

JoseKey = ECKey | RSAKey | OKPKey

VERIFIABLE: Mapping[str, Mapping[str, str]] = {
    "ES256": {"kty": "EC", "crv": "P-256"},
    "RS256": {"kty": "RSA"},
    "PS256": {"kty": "RSA"},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
}
"""Each signature algorithm that we look at, and the kind of public key it takes."""

_KINDS: Mapping[str, tuple[type[JoseKey], tuple[str, ...]]] = {
    "EC": (ECKey, ("crv", "x", "y")),
    "RSA": (RSAKey, ("n", "e")),
    "OKP": (OKPKey, ("crv", "x")),
}
_NUMBERS = frozenset({"x", "y", "n", "e"})
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeyNotFound(SignatureRejected):
    """No key of the set fits the token's header: a newer key set may have it."""


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
    told = parts(unverified_token, VERIFIABLE.keys() & set(algorithms), typ)
    if "jwk" in told.header:
        raise SignatureRejected("a key in the header")
    _check(told.header["alg"], _chosen(told.header, jwks), told.signed, told.signature)
    return SignedClaims(told.header, told.unverified_claims)


def verify_embedded(
    unverified_token: str, *, algorithms: Collection[str], typ: Collection[str] | None
) -> tuple[SignedClaims, Mapping[str, Any]]:
    """The claims of a token signed by the public key in its own header, and that key.

    It proves possession of the key and nothing else: a DPoP proof (RFC 9449 §4.2). Raises
    SignatureRejected.
    """
    told = parts(unverified_token, VERIFIABLE.keys() & set(algorithms), typ)
    key = told.header.get("jwk")
    if not isinstance(key, dict) or _PRIVATE & key.keys() or not _fits(key, told.header["alg"]):
        raise SignatureRejected("no public key for this algorithm in the header")
    _check(told.header["alg"], key, told.signed, told.signature)
    return SignedClaims(told.header, told.unverified_claims), key


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """The RFC 7638 SHA-256 thumbprint of a public key. Raises SignatureRejected."""
    return str(public_key(jwk).thumbprint())


def public_der(jwk: Mapping[str, Any]) -> bytes:
    """A public key as SubjectPublicKeyInfo, as certificates hold it. Raises SignatureRejected."""
    return bytes(public_key(jwk).as_der(private=False))


def public_key(jwk: Mapping[str, Any]) -> JoseKey:
    """The public half of a key, alone: what else its owner wrote beside it is not ours to read.

    Raises SignatureRejected, also on a key that would make each use of it our burden.
    """
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise SignatureRejected("not a public key")
    make, names = _KINDS[kind]
    public = {name: str(jwk.get(name, "")) for name in names}
    numbers = {name: int.from_bytes(unbase64(public[name]), "big") for name in _NUMBERS & {*names}}
    if kind == "RSA" and not _bearable(numbers["n"], numbers["e"]):
        raise SignatureRejected("unsuitable RSA key")
    try:
        key = make.import_key({"kty": kind, **public})
        key.public_key  # noqa: B018  parsed now: a point off its curve is refused here
    except (JoseError, ValueError, KeyError) as error:
        raise SignatureRejected("not a public key") from error
    return key


def listed(jwks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The keys of a JWK Set; none where it is not one."""
    keys = jwks.get("keys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _chosen(header: Mapping[str, Any], jwks: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one key of the set that the header means (RFC 7515 §4.1.4)."""
    fitting = [key for key in listed(jwks) if _fits(key, header["alg"])]
    if "kid" in header:
        fitting = [key for key in fitting if key.get("kid") == header["kid"]]
    if not fitting:
        raise KeyNotFound("no such key")
    if len(fitting) > 1:
        raise SignatureRejected("several keys fit")
    return fitting[0]


def _fits(key: Mapping[str, Any], alg: str) -> bool:
    """Whether the key is of the algorithm's kind, and its owner lets it verify with it."""
    operations = key.get("key_ops", ["verify"])
    return (
        all(key.get(name) == value for name, value in VERIFIABLE[alg].items())
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
        and isinstance(operations, list)
        and "verify" in operations
    )


def _bearable(n: int, e: int) -> bool:
    """2048 bits at least (RFC 7518 §3.3), and not so many that verifying is an attack on us."""
    return 2048 <= n.bit_length() <= 8192 and 2 <= e.bit_length() <= 33  # noqa: PLR2004


def _check(alg: str, jwk: Mapping[str, Any], signed: bytes, signature: bytes) -> None:
    key = public_key(jwk)
    try:
        held = JWSRegistry.algorithms[alg].verify(signed, signature, key)
    except (JoseError, ValueError) as error:
        raise SignatureRejected(type(error).__name__) from error
    if not held:
        raise SignatureRejected("the signature does not hold")
