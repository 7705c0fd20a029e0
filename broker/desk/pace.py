"""How often one auditor may ask, told in every answer (RateLimit header fields)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock

from broker.errors import TooMany

QUOTA = 600
"""Requests of one auditor in one window, by each worker process."""

WINDOW = timedelta(minutes=1)
POLICY = f'"auditor";q={QUOTA};w={int(WINDOW.total_seconds())}'


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of the quota, and in how many seconds it is whole again."""

    requests: int
    seconds: int

    def header(self) -> str:
        """The value of RateLimit."""
        return f'"auditor";r={self.requests};t={self.seconds}'


class Pace:
    """The windows of all auditors, in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._windows: dict[str, tuple[datetime, int]] = {}

    def count(self, name: str, now: datetime) -> Left:
        """What is left after this request; below zero it must not be served."""
        with self._lock:
            began, used = self._windows.get(name, (now, 0))
            if not began <= now < began + WINDOW:
                began, used = now, 0
            self._windows[name] = (began, used + 1)
        return Left(QUOTA - used - 1, ceil((began + WINDOW - now).total_seconds()))


def refuse() -> TooMany:
    """What an auditor hears who asked too often."""
    return TooMany("too_many_requests", "the quota of this minute is used up")
