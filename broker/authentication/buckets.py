"""Buckets that fill with tries and leak with time: what `limits` counts in. Pure but for memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock
from typing import Final, Protocol


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
