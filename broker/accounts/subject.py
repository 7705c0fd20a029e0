"""Pairwise subject identifiers (OpenID Connect Core §8.1)."""

import base64
import hmac


def pairwise(key: bytes, sector: str, account_id: str) -> str:
    """The `sub` that relying services of `sector` (a host) know this account by.

    HMAC-SHA-256 under a secret key: two sectors cannot tell that they know the same person.
    """
    mac = hmac.digest(key, f"{sector}\x00{account_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode("ascii")


def session_name(key: bytes, sector: str, session_id: str) -> str:
    """The `sid` that relying services of `sector` know this session by.

    Made as subjects are, so that two sectors cannot tell that they know the same visit.
    """
    # No account's name has a colon: a session and an account can never be called the same.
    return pairwise(key, sector, f"session:{session_id}")
