"""Pairwise subject identifiers (OpenID Connect Core §8.1)."""

import base64
import hashlib
import hmac


def pairwise(key: bytes, sector: str, account_id: str) -> str:
    """The `sub` that relying services of `sector` (a host) know this account by.

    HMAC-SHA-256 under a secret key: two sectors cannot tell that they know the same person.
    """
    mac = hmac.new(key, f"{sector}\x00{account_id}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode("ascii")
