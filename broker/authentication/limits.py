"""How often this room's doors may be tried: by account, by browser, by network, by everyone.

Waiting doubles from try to try and is forgotten in time: nobody is ever locked out for good,
and a stranger cannot lock out anybody at all, since an account is only counted where its owner
is signed in. There is no riddle to solve. What is kept are digests, in memory, for minutes.
"""

import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

from flask import Response, after_this_request, current_app, request

from broker.authentication.buckets import Bucket, Memory, Store
from broker.errors import TooMany
from broker.web import cookies
from broker.web.tools import tools


class Door(StrEnum):
    """What is tried; each door counts by itself."""

    SIGN_IN = "sign_in"
    RECOVERY = "recovery"
    ENROL = "enrol"
    APP = "app"


_NETWORK_BITS = {4: 24, 6: 48}
_STORE = "authentication_limits"
_NOTHING = timedelta(0)


def admit(door: Door, account_id: str | None, now: datetime) -> tuple[Bucket, ...]:
    """The buckets that this try was counted in. Raises TooMany too_many_tries.

    `account_id` is the account of the person who is signed in, if anybody is.
    """
    buckets = _buckets(door, account_id)
    delay = _store().charge(buckets, now)
    if delay > _NOTHING:
        seconds = str(-(-delay // timedelta(seconds=1)))
        after_this_request(lambda answer: _with_delay(answer, seconds))
        raise TooMany("too_many_tries", door)
    return buckets


def forgive(buckets: tuple[Bucket, ...], now: datetime) -> None:
    """The try was a good one: it does not count."""
    _store().refund(buckets, now)


def network(address: str | None) -> str:
    """The prefix that an address shares with its neighbours: /24 or /48."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed, _NETWORK_BITS[parsed.version]), strict=False))


def _buckets(door: Door, account_id: str | None) -> tuple[Bucket, ...]:
    # remote_addr is the caller's as far as trusted_proxies let the proxy say so.
    whose = {
        "account": account_id,
        "browser": cookies.browser(),
        "network": network(request.remote_addr),
        "everyone": "",
    }
    key = tools().keyring.browser
    return tuple(
        (kind, hmac.digest(key, f"limit:{door}:{kind}:{name}".encode(), "sha256")[:16])
        for kind, name in whose.items()
        if name is not None
    )


def _store() -> Store:
    held = current_app.extensions
    if _STORE not in held:
        held[_STORE] = _made(tools().settings.limits_url)
    store: Store = held[_STORE]
    return store


def _made(url: str) -> Store:
    if not url:
        return Memory()
    from broker.authentication.shared_limits import Shared  # noqa: PLC0415  an optional dependency

    return Shared(url)


def _with_delay(answer: Response, seconds: str) -> Response:
    answer.headers["Retry-After"] = seconds
    return answer
