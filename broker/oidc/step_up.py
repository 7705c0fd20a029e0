"""What a resource server answers to a token whose sign-in is too old or too weak (RFC 9470).

For our own use and for services in Python that protect an API with our tokens; what it reads is
an introspection answer or the claims of a verified JWT access token, which say the same.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from broker.errors import OAuthCode


def challenge(
    told: Mapping[str, Any],
    *,
    now: datetime,
    acr_values: Sequence[str] = (),
    max_age: timedelta | None = None,
) -> str | None:
    """The WWW-Authenticate header that sends the client back to its person; None if all is well.

    `acr_values` are the levels that will do, `max_age` is how old the sign-in may be. The client
    repeats both in an authorization request (RFC 9470 §4) and comes back with another token.
    """
    wanted = {}
    if acr_values and told.get("acr") not in acr_values:
        wanted["acr_values"] = " ".join(acr_values)
    if max_age is not None and not _is_fresh(told.get("auth_time"), now, max_age):
        wanted["max_age"] = str(int(max_age.total_seconds()))
    if not wanted:
        return None
    scheme = "DPoP" if "jkt" in told.get("cnf", {}) else "Bearer"
    fault = {
        "error": OAuthCode.INSUFFICIENT_USER_AUTHENTICATION.value,
        "error_description": "a fresher or stronger sign-in is needed",
    }
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in (fault | wanted).items())


def _is_fresh(auth_time: object, now: datetime, max_age: timedelta) -> bool:
    if not isinstance(auth_time, int):
        return False
    return now.timestamp() - auth_time <= max_age.total_seconds()
