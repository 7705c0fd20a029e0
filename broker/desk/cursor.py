"""Where a list goes on: opaque to its holder, good for one caller, one question and an hour."""

import base64
import binascii
import hmac
import json
import struct
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.errors import Malformed

LIFETIME = timedelta(hours=1)
LONGEST = 64
"""Characters."""

_PLACE = struct.Struct(">QQ")
_MAC_SIZE = 24
_LABEL = b"miftah audit cursor"

Filter = Mapping[str, str | int]


def key(secret: bytes) -> bytes:
    """The key of cursors, 32 bytes, out of the keyring's `browser` secret."""
    return HKDF(SHA256(), 32, salt=None, info=_LABEL).derive(secret)


def seal(after: int, caller: str, asked: Filter, now: datetime, mac_key: bytes) -> str:
    """The cursor after entry `after`, for this caller and these filters only."""
    place = _PLACE.pack(after, int((now + LIFETIME).timestamp()))
    sealed = place + _mac(place, caller, asked, mac_key)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def unseal(cursor: str, caller: str, asked: Filter, now: datetime, mac_key: bytes) -> int:
    """The index to go on after. Raises Malformed: forged, another's, for other filters, or over."""
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place, mac = sealed[: _PLACE.size], sealed[_PLACE.size :]
        after, until = _PLACE.unpack(place)
    except (binascii.Error, ValueError, struct.error) as error:
        raise _refused() from error
    if not hmac.compare_digest(mac, _mac(place, caller, asked, mac_key)):
        raise _refused()
    if now.timestamp() >= until:
        raise _refused()
    return int(after)


def _mac(place: bytes, caller: str, asked: Filter, mac_key: bytes) -> bytes:
    bound = json.dumps([caller, dict(asked)], sort_keys=True).encode()
    return hmac.digest(mac_key, place + bound, "sha256")[:_MAC_SIZE]


def _refused() -> Malformed:
    # One sentence for all: whoever tries learns nothing of what would have been right.
    return Malformed("malformed", "cursor: not made for you and this question, or over")
