"""A second opinion on an ID token: python-jose behind a strict guard.

The stock client has verified the token already, with another JOSE library. Two independent
verifiers catch each other's faults. python-jose 3.5 alone would accept an unknown `crit`, try
every key whatever the `kid`, take the last of two members of one name, and, asked without an
algorithm, take a public key for an HMAC secret: each of the checks below closes one such door.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from jose import jwt
from jose.exceptions import JOSEError

SIZE_LIMIT = 16 * 1024
ALGORITHMS = {"ES256": ("EC", "P-256"), "RS256": ("RSA", None)}
FORBIDDEN_HEADERS = frozenset({"crit", "jwk", "jku", "x5u", "x5c", "x5t", "b64", "zip", "enc"})
LEEWAY_S = 10
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")


class TokenRefused(Exception):
    """The token does not say what a relying service may rely on; the text says why."""


def verified_claims(  # noqa: PLR0913  every expectation is passed in, none is looked up
    unverified_token: str,
    jwks: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    alg: str,
    access_token: str,
    now: int,
) -> dict[str, Any]:
    """The claims of an ID token that passed every check (OpenID Connect Core §3.1.3.7).

    `now` is in seconds since 1970. Raises TokenRefused.
    """
    header = _header(unverified_token, alg)
    key = _key(jwks, header["kid"], alg)
    _same_clock(unverified_token, now)
    try:
        claims: dict[str, Any] = jwt.decode(
            unverified_token,
            key,
            algorithms=[alg],
            issuer=issuer,
            audience=client_id,
            access_token=access_token,
            options={
                "leeway": LEEWAY_S,
                # Expiry is judged by `_same_clock`, against the caller's clock.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                # Not exp and iat: what python-jose requires, it holds against the machine's clock.
                **{f"require_{c}": True for c in ("iss", "aud", "sub", "at_hash")},
            },
        )
    except JOSEError as error:
        raise TokenRefused(f"python-jose: {error}") from error
    _ours(claims, client_id, nonce)
    return claims


def at_hash(access_token: str) -> str:
    """The left half of SHA-256 over the access token (Core §3.1.3.6)."""
    half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode("ascii")


def _header(token: str, alg: str) -> dict[str, Any]:
    segments = token.split(".")
    if len(token) > SIZE_LIMIT or len(segments) != 3:  # noqa: PLR2004
        raise TokenRefused("not a compact JWS of sane size")
    if not all(_SEGMENT.fullmatch(segment) for segment in segments):
        raise TokenRefused("not strict base64url")
    header = _object(segments[0])
    _object(segments[1])
    if header.get("alg") != alg or alg not in ALGORITHMS:
        raise TokenRefused("another algorithm than the one agreed")
    if header.get("typ") != "JWT" or not isinstance(header.get("kid"), str):
        raise TokenRefused("typ or kid is missing or wrong")
    if FORBIDDEN_HEADERS & set(header):
        raise TokenRefused("a header that has no place in an ID token")
    return header


def _object(segment: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise TokenRefused("a member stands twice")
        return dict(pairs)

    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).rstrip(b"=") != segment.encode():
            raise TokenRefused("base64url with stray bits")
        found = json.loads(raw, object_pairs_hook=once)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TokenRefused("not JSON") from error
    if not isinstance(found, dict):
        raise TokenRefused("not a JSON object")
    return found


def _key(jwks: Mapping[str, Any], kid: str, alg: str) -> dict[str, Any]:
    kty, crv = ALGORITHMS[alg]
    for key in jwks.get("keys", []):
        named = key.get("kid") == kid and key.get("kty") == kty
        meant = key.get("use", "sig") == "sig" and key.get("alg", alg) == alg
        if named and meant and (crv is None or key.get("crv") == crv):
            return dict(key)
    raise TokenRefused("no published key of that name and kind")


def _same_clock(token: str, now: int) -> None:
    claims = _object(token.split(".")[1])
    for name in ("exp", "iat"):
        if type(claims.get(name)) is not int:
            raise TokenRefused(f"{name} is not a whole number")
    if now >= claims["exp"] + LEEWAY_S:
        raise TokenRefused("expired")
    if claims["iat"] > now + LEEWAY_S:
        raise TokenRefused("issued in the future")


def _ours(claims: Mapping[str, Any], client_id: str, nonce: str) -> None:
    if claims.get("aud") != client_id:
        raise TokenRefused("for somebody else as well")
    if claims.get("azp", client_id) != client_id:
        raise TokenRefused("another authorised party")
    if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
        raise TokenRefused("another nonce")
