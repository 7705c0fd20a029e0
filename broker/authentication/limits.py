"""How often this room's doors may be tried: by account, by browser, by network, by everyone.

Waiting doubles from try to try and is forgotten in time: nobody is ever locked out for good,
and a stranger cannot lock out anybody at all, since an account is only counted where its owner
is signed in. There is no riddle to solve. What is kept are digests, in memory, for minutes.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from threading import Lock
from typing import Final, Protocol

from flask import Response, after_this_request, current_app, request

from broker.errors import TooMany
from broker.web import cookies
from broker.web.tools import tools


class Door(StrEnum):
    """What is tried; each door counts by itself."""

    SIGN_IN = "sign_in"
    RECOVERY = "recovery"
    ENROL = "enrol"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Allowance:
    """`free` tries at once; then `first` to wait, doubling up to `longest`.

    One try is forgotten every `leak`.
    """

    free: int
    first: timedelta
    longest: timedelta
    leak: timedelta


@dataclass(frozen=True, slots=True)
class Level:
    """How full a bucket was at the moment of its last try."""

    tries: float
    at: datetime


ALLOWANCES: Final[Mapping[str, Allowance]] = {
    "account": Allowance(10, timedelta(seconds=2), timedelta(minutes=5), timedelta(minutes=1)),
    "browser": Allowance(10, timedelta(seconds=2), timedelta(minutes=5), timedelta(minutes=1)),
    # Whole villages share an address of a telephone company.
    "network": Allowance(100, timedelta(seconds=1), timedelta(minutes=1), timedelta(seconds=6)),
    "everyone": Allowance(
        3000, timedelta(seconds=1), timedelta(seconds=10), timedelta(milliseconds=100)
    ),
}
"""What each kind of bucket admits."""

Bucket = tuple[str, bytes]
"""Kind of bucket, and the digest of whose it is."""

_MOST = 100_000
_NETWORK_BITS = {4: 24, 6: 48}
_STORE = "authentication_limits"
_NOTHING = timedelta(0)


class Store(Protocol):
    """Where the buckets stand: in this process, or in a server that several share."""

    def charge(self, buckets: Iterable[Bucket], now: datetime) -> timedelta:
        """Zero, and one try is counted in every bucket; or how long to wait, and none is."""
        ...

    def refund(self, buckets: Iterable[Bucket], now: datetime) -> None:
        """Take one try out of every bucket again: it was a good one."""
        ...


class Memory:
    """Buckets of this process."""

    def __init__(self, most: int = _MOST) -> None:
        self._levels: dict[Bucket, Level] = {}
        self._lock = Lock()
        self._most = most

    def charge(self, buckets: Iterable[Bucket], now: datetime) -> timedelta:
        """As the interface says. Trying while one must wait prolongs nothing."""
        with self._lock:
            levels = {bucket: self._level(bucket, now) for bucket in buckets}
            waits = [wait(level, ALLOWANCES[kind], now) for (kind, _), level in levels.items()]
            longest = max(waits, default=_NOTHING)
            if longest <= _NOTHING:
                for bucket, level in levels.items():
                    tries = leaked(level, ALLOWANCES[bucket[0]], now) + 1
                    self._levels[bucket] = Level(tries, now)
                self._sweep(now)
            return longest

    def refund(self, buckets: Iterable[Bucket], now: datetime) -> None:
        """As the interface says."""
        with self._lock:
            for bucket in buckets:
                level = self._level(bucket, now)
                self._levels[bucket] = Level(max(level.tries - 1, 0), level.at)

    def __len__(self) -> int:
        """How many buckets are not empty."""
        return len(self._levels)

    def _level(self, bucket: Bucket, now: datetime) -> Level:
        return self._levels.get(bucket, Level(0, now))

    def _sweep(self, now: datetime) -> None:
        if len(self._levels) <= self._most:
            return
        full = {b: v for b, v in self._levels.items() if leaked(v, ALLOWANCES[b[0]], now) >= 1}
        newest = sorted(full.items(), key=lambda item: item[1].at)[-self._most // 2 :]
        self._levels = dict(newest)


def leaked(level: Level, allowance: Allowance, now: datetime) -> float:
    """How full the bucket is now."""
    return max(level.tries - max(now - level.at, _NOTHING) / allowance.leak, 0)


def wait(level: Level, allowance: Allowance, now: datetime) -> timedelta:
    """How long until the next try is admitted; zero or less: now."""
    over = ceil(level.tries) - allowance.free
    if over < 0 or leaked(level, allowance, now) <= allowance.free - 1:
        return _NOTHING
    doubled = allowance.first * (1 << min(over, 20))
    return level.at + min(doubled, allowance.longest) - now


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
