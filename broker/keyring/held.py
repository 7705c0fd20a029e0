"""The keyring in a server's hand: read again when its folder changes, never by a restart."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from broker.clock import Clock
from broker.keyring.folder import load
from broker.keyring.key import Keyring, KeysMissing, published
from broker.keyring.sealing import Unlock

LOOK_EVERY = timedelta(seconds=2)
"""How old our knowledge of the folder may be."""

_log = logging.getLogger(__name__)


class HeldKeyring:
    """Called, it returns the keyring of this moment, without the keys that are retired.

    Threads share it: one at a time looks at the folder, and the others go on with what they
    had. A folder that cannot be read, half copied say, changes nothing until it can.
    """

    def __init__(
        self, folder: Path, clock: Clock, retire_after: timedelta, unlock: Unlock | None = None
    ) -> None:
        """Read the folder. Raises KeysMissing: without keys there is nothing to start with."""
        self._folder, self._clock, self._retire_after = folder, clock, retire_after
        self._unlock = unlock or Unlock()
        self._looking = Lock()
        self._looked = clock()
        self._seen = _seen(folder)
        self._every = load(folder, self._unlock)
        self._held = self._published(self._looked)

    def __call__(self) -> Keyring:
        """The keys of this moment: a frozen value, whole before or whole after a change."""
        now = self._clock()
        if abs(now - self._looked) >= LOOK_EVERY and self._looking.acquire(blocking=False):
            try:
                self._look(now)
            finally:
                self._looking.release()
        return self._held

    def _look(self, now: datetime) -> None:
        self._looked = now
        try:
            seen = _seen(self._folder)
            if seen != self._seen:
                self._seen = seen
                self._every = load(self._folder, self._unlock)
        except (KeysMissing, OSError) as error:
            _log.warning("The key files cannot be read, the keys stay as they were: %s", error)
        held = self._published(now)
        if held != self._held:
            self._held = held

    def _published(self, now: datetime) -> Keyring:
        signing = published(self._every.signing, now, self._retire_after)
        return replace(self._every, signing=signing)


def _seen(folder: Path) -> frozenset[tuple[str, int, int]]:
    """What tells one state of the folder from another; ctime, since mtime can be set back."""
    return frozenset(
        (entry.name, entry.stat().st_ctime_ns, entry.stat().st_size)
        for entry in folder.glob("*.*")
        if entry.suffix in {".pem", ".key", ".pkcs11"}
    )
