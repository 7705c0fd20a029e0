"""The buckets of `buckets` in a Redis or Valkey server, for several workers together.

One script charges all buckets of a try or none, so that workers cannot overtake each other. The
server holds digests and levels for as long as they mean something, and may lose them at any time.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import redis

from broker.authentication.buckets import ALLOWANCES, Allowance, Bucket, Memory

_TIMEOUT_S: Final = 0.5

# For each bucket: free, first, longest, leak (seconds). Answers the longest wait in milliseconds;
# where it is 0, a try was counted in each. The same arithmetic as buckets.leaked and buckets.wait.
_CHARGE: Final = """
local now, longest, levels = tonumber(ARGV[1]), 0, {}
for i, key in ipairs(KEYS) do
  local a = 2 + (i - 1) * 4
  local free, first = tonumber(ARGV[a]), tonumber(ARGV[a + 1])
  local most, leak = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local held = redis.call('HMGET', key, 'tries', 'at')
  local tries, at = tonumber(held[1] or 0), tonumber(held[2] or now)
  local left = math.max(tries - math.max(now - at, 0) / leak, 0)
  local over = math.ceil(tries) - free
  if over >= 0 and left > free - 1 then
    local doubled = math.min(first * 2 ^ math.min(over, 20), most)
    longest = math.max(longest, at + doubled - now)
  end
  levels[i] = { left + 1, leak }
end
if longest > 0 then return math.ceil(longest * 1000) end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'tries', tostring(levels[i][1]), 'at', ARGV[1])
  redis.call('EXPIRE', key, math.ceil(levels[i][1] * levels[i][2]) + 60)
end
return 0
"""

_REFUND: Final = """
for i, key in ipairs(KEYS) do
  local tries = redis.call('HGET', key, 'tries')
  if tries then redis.call('HSET', key, 'tries', tostring(math.max(tonumber(tries) - 1, 0))) end
end
"""


class Shared:
    """Buckets in a server; while it is away, those of this process stand in for it."""

    def __init__(self, url: str) -> None:
        server = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        )
        self._charge: Callable[..., Any] = server.register_script(_CHARGE)
        self._refund: Callable[..., Any] = server.register_script(_REFUND)
        self._own = Memory()

    def charge(self, buckets: Iterable[Bucket], now: datetime) -> timedelta:
        """As buckets.Store says."""
        held = tuple(buckets)
        figures = [f for kind, _ in held for f in _seconds(ALLOWANCES[kind])]
        try:
            wait = self._charge(keys=_keys(held), args=[now.timestamp(), *figures])
        except redis.RedisError:
            return self._own.charge(held, now)
        return timedelta(milliseconds=int(wait))

    def refund(self, buckets: Iterable[Bucket], now: datetime) -> None:
        """As buckets.Store says."""
        held = tuple(buckets)
        try:
            self._refund(keys=_keys(held), args=[])
        except redis.RedisError:
            self._own.refund(held, now)


def _keys(buckets: Iterable[Bucket]) -> list[str]:
    return [f"miftah:limit:{kind}:{digest.hex()}" for kind, digest in buckets]


def _seconds(allowance: Allowance) -> tuple[float, ...]:
    periods = (allowance.first, allowance.longest, allowance.leak)
    return (allowance.free, *(period.total_seconds() for period in periods))
