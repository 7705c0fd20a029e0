"""Proofs that a request comes from the holder of a key (RFC 9449, DPoP)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from broker import jose
from broker.errors import OAuthCode, OAuthError
from broker.interaction.replay import first_use
from broker.web.bearer import DPOP_ALGORITHMS

WINDOW = timedelta(seconds=60)
"""How far `iat` may lie from our clock, on either side."""

NONCE_PERIOD = timedelta(minutes=2)
"""A nonce is good in the period that it was made in and in the next."""

_PORTS = {"https": 443, "http": 80}
_LONGEST_ID = 256


@dataclass(frozen=True, slots=True)
class Expected:
    """What a proof must fit: the request that it came with, and at a resource its token."""

    method: str
    url: str
    nonce_key: bytes = field(repr=False)
    nonce_owed: bool = False
    access_token: str | None = field(default=None, repr=False)


def check(tx: Session, unverified_proof: str, expected: Expected, now: datetime) -> str:
    """The RFC 7638 thumbprint of the key that made the proof; the proof is used up by it.

    RFC 9449 §4.3. Raises OAuthError: invalid_dpop_proof, or use_dpop_nonce where a nonce of
    ours is missing or old.
    """
    try:
        proof, key = jose.verify_embedded(
            unverified_proof, algorithms=DPOP_ALGORITHMS, typ=("dpop+jwt",)
        )
        jkt = jose.thumbprint_of(key)
    except jose.SignatureRejected as error:
        _refuse(f"the DPoP proof is not acceptable: {error}")
    _fits(proof.claims, expected, now)
    _has_nonce(proof.claims, expected, now)
    # Nothing is accepted beyond the window, so what is older need not be remembered.
    forgotten = now + 2 * WINDOW + timedelta(seconds=1)
    if not first_use(tx, "dpop", jkt, proof.claims["jti"], forgotten):
        _refuse("the DPoP proof was used before")
    return jkt


def nonce(key: bytes, now: datetime) -> str:
    """The nonce of this moment: a MAC of the period, so that no server need remember it."""
    return _nonce(key, _period(now))


def _fits(claims: Mapping[str, Any], expected: Expected, now: datetime) -> None:
    name, issued = claims.get("jti"), claims.get("iat")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_ID:
        _refuse("the DPoP proof has no sound jti")
    if claims.get("htm") != expected.method:
        _refuse("htm is another method")
    place = _place(claims.get("htu"))
    if place is None or place != _place(expected.url):
        _refuse("htu is another address")
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        _refuse("the DPoP proof has no iat")
    if not -WINDOW.total_seconds() <= issued - int(now.timestamp()) <= WINDOW.total_seconds():
        _refuse("the DPoP proof is too old, or of the future")
    if expected.access_token is not None and claims.get("ath") != _hash(expected.access_token):
        _refuse("ath is the hash of another token")


def _has_nonce(claims: Mapping[str, Any], expected: Expected, now: datetime) -> None:
    said = claims.get("nonce")
    if said is None and not expected.nonce_owed:
        return
    current = _period(now)
    good = (_nonce(expected.nonce_key, period) for period in (current, current - 1))
    known = [hmac.compare_digest(str(said).encode("utf-8", "replace"), n.encode()) for n in good]
    if not any(known):
        raise OAuthError(OAuthCode.USE_DPOP_NONCE, "the DPoP proof needs our newest nonce")


def _place(url: object) -> tuple[str, str, int | None, str] | None:
    """The address as compared: no query, no fragment, case and default port set aside.

    RFC 9449 §4.3 with RFC 3986 §6.2.2 and §6.2.3; None where it is no address at all.
    """
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None:
        return None
    scheme = parts.scheme.lower()
    return scheme, parts.hostname, port or _PORTS.get(scheme), unquote(parts.path) or "/"


def _period(now: datetime) -> int:
    return int(now.timestamp()) // int(NONCE_PERIOD.total_seconds())


def _nonce(key: bytes, period: int) -> str:
    mac = hmac.new(key, f"dpop-nonce:{period}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac[:18]).decode("ascii")


def _hash(token: str) -> str:
    hashed = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


def _refuse(hint: str) -> NoReturn:
    raise OAuthError(OAuthCode.INVALID_DPOP_PROOF, hint)
