"""Encryption to a client's key: a nested JWT that only its service can read (RFC 7516)."""

from collections.abc import Mapping
from typing import Any

from joserfc import jwe

from broker.jose.compact import SignatureRejected
from broker.jose.foreign import JoseKey, KeyNotFound, listed, public_key

KEY_ALGORITHMS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "ECDH-ES": {"EC": frozenset({"P-256", "P-384", "P-521"}), "OKP": frozenset({"X25519"})},
    "ECDH-ES+A256KW": {"EC": frozenset({"P-256", "P-384", "P-521"}), "OKP": frozenset({"X25519"})},
    "RSA-OAEP-256": {"RSA": frozenset()},
}
"""How the content's key reaches the client, and the kinds and curves of public key it takes."""

CONTENT_ALGORITHMS = ("A256GCM", "A128GCM")


def takes(jwks: Mapping[str, Any], alg: str) -> bool:
    """Whether a key of the set can be encrypted to with `alg`."""
    return any(_fits(key, alg) for key in listed(jwks))


def encrypt(
    payload: str | bytes, jwks: Mapping[str, Any], *, alg: str, enc: str, cty: str | None
) -> str:
    """A compact JWE of `payload` to the first key of the set that fits `alg`.

    `cty` is "JWT" where the payload is a signed token (RFC 7519 §5.2), None where it is not.
    The header names the key where the client has named it (OpenID Connect Core §10.2).
    Raises KeyNotFound where no key fits.
    """
    jwk = next((key for key in listed(jwks) if _fits(key, alg)), None)
    if jwk is None:
        raise KeyNotFound(f"no key to encrypt to with {alg}")
    header = {"alg": alg, "enc": enc}
    if isinstance(jwk.get("kid"), str):
        header["kid"] = jwk["kid"]
    if cty is not None:
        header["cty"] = cty
    return jwe.encrypt_compact(header, payload, _key(jwk), algorithms=[alg, enc])


def _key(jwk: Mapping[str, Any]) -> JoseKey:
    try:
        return public_key(jwk)
    except SignatureRejected as error:
        raise KeyNotFound("the client's key is not one") from error


def _fits(key: Mapping[str, Any], alg: str) -> bool:
    """Whether the key is of the algorithm's kind, and its owner wants it encrypted to."""
    kinds, kind = KEY_ALGORITHMS[alg], key.get("kty")
    if not isinstance(kind, str) or kind not in kinds:
        return False
    curves = kinds[kind]
    return (
        (not curves or key.get("crv") in curves)
        and key.get("use", "enc") == "enc"
        and key.get("alg", alg) == alg
    )
