"""What a client's signed statement must say to be its proof (RFC 7523 §3, FAPI 2.0 §5.3.2.1)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from broker.oidc.client_metadata import ClientMetadata

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "PS256", "EdDSA", "RS256")
LIFETIME = timedelta(minutes=5)
"""How far ahead `exp` may lie: what is remembered against replay stays little."""
SKEW = timedelta(seconds=60)
"""By how much the clocks of others may differ from ours."""
_TYPES = frozenset({"jwt", "client-authentication+jwt"})
_LONGEST_JTI = 256


def algorithms(metadata: ClientMetadata) -> frozenset[str]:
    """The signature algorithms that this client may use: the one it registered, or all of ours."""
    if metadata.token_endpoint_auth_signing_alg:
        return frozenset({metadata.token_endpoint_auth_signing_alg})
    # FAPI 2.0 Security Profile §5.4.1: no RSASSA-PKCS1-v1_5.
    return frozenset(ALGORITHMS) - ({"RS256"} if metadata.profile == "fapi2" else set())


def fault(claims: Mapping[str, Any], client_id: str, issuer: str, now: datetime) -> str | None:
    """Why these claims prove nothing here and now, or None. Nothing is believed yet."""
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        return "iss and sub must be the client_id"
    # A list, or an endpoint's address, could have been meant for somebody else as well.
    if claims.get("aud") != issuer:
        return "aud must be the issuer, as a string"
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= _LONGEST_JTI:
        return "jti is missing, empty or too long"
    return _time_fault(claims, now.timestamp())


def kind_fault(header: Mapping[str, Any]) -> str | None:
    """Why this is another kind of JWT, or None; a header without `typ` is of the right one."""
    typ = header.get("typ", "JWT")
    known = isinstance(typ, str) and typ.lower().removeprefix("application/") in _TYPES
    return None if known else "typ names another kind of token"


def expiry(claims: Mapping[str, Any]) -> datetime:
    """From when on the assertion is refused for its age. Only for claims without a fault."""
    return datetime.fromtimestamp(claims["exp"], UTC) + SKEW


def _time_fault(claims: Mapping[str, Any], now: float) -> str | None:
    skew, exp = SKEW.total_seconds(), claims.get("exp")
    if not _is_number(exp):
        return "exp is missing"
    if not now - skew < exp <= now + LIFETIME.total_seconds() + skew:
        return "exp has passed, or is more than five minutes ahead"
    for name in ("iat", "nbf"):
        value = claims.get(name)
        if name in claims and not (_is_number(value) and value <= now + skew):
            return f"{name} is in the future"
    return None


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
