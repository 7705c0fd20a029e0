"""A LogoutRequest, sealed, for a page's form or an address: only we can make or read one."""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broker.entropy import RandomBytes
from broker.errors import Malformed
from broker.oidc.grant import seconds
from broker.oidc.logout.request import LogoutRequest

LIFETIME = timedelta(minutes=30)
_NONCE = 12
_PURPOSE = b"logout-request"


def seal(request: LogoutRequest, key: bytes, now: datetime, draw: RandomBytes) -> str:
    """The request as base64url; it opens for half an hour. `key` is the browser key."""
    nonce = draw(_NONCE)
    body = {"until": seconds(now + LIFETIME), "request": request.to_json()}
    sealed = AESGCM(_own(key)).encrypt(nonce, json.dumps(body).encode(), _PURPOSE)
    return base64.urlsafe_b64encode(nonce + sealed).decode("ascii")


def unseal(text: str, key: bytes, now: datetime) -> LogoutRequest:
    """The request that `seal` was given. Raises Malformed: not ours, changed, or too old."""
    refused = Malformed("form_expired", "the sealed logout request does not open")
    try:
        sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        body = json.loads(AESGCM(_own(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], _PURPOSE))
    except (binascii.Error, InvalidTag, ValueError):
        raise refused from None
    if seconds(now) >= body["until"]:
        raise refused
    return LogoutRequest(**body["request"])


def _own(key: bytes) -> bytes:
    # The browser key also makes form tokens: no key is used for two things.
    return hmac.new(key, _PURPOSE, hashlib.sha256).digest()
