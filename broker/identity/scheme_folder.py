"""The folder of schemes: one TOML file each, read at start, and again at a command's word."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Final

from broker.clock import Clock
from broker.identity.scheme import SIZE_LIMIT, Scheme, SchemeRejected, parse

Schemes = Mapping[str, Scheme]
"""The schemes in force, by name; those that are not enabled are not among them."""

Judge = Callable[[Iterable[Scheme]], None]
"""Whoever must be able to work with the schemes. Raises SchemeRejected."""

MARK: Final = "reload"
"""The file whose change tells every server process to read the folder again."""

LOOK_EVERY: Final = timedelta(seconds=2)

_log = logging.getLogger(__name__)


def load(folder: Path, judge: Judge) -> Schemes:
    """The enabled schemes in `folder`, none where there is no such folder. Raises SchemeRejected.

    A file that is not enabled must still be one: a mistake is told before it is switched on.
    """
    paths = sorted(folder.glob("*.toml"))
    every = [parse(path.stem, _read(path)) for path in paths]
    enabled = [scheme for scheme in every if scheme.enabled]
    judge(enabled)
    return MappingProxyType({scheme.id: scheme for scheme in enabled})


def mark(folder: Path) -> None:
    """Tell every server process to read the folder again."""
    (folder / MARK).touch()


class HeldSchemes:
    """Called, it returns the schemes in force: those read at start, or at the last reload.

    Files are not watched: a file half edited must not come into force. What cannot be read
    changes nothing, and the log says why.
    """

    def __init__(self, folder: Path, clock: Clock, judge: Judge) -> None:
        """Read the folder. Raises SchemeRejected: nothing starts on a mistake."""
        self._folder, self._clock, self._judge = folder, clock, judge
        self._looking = Lock()
        self._looked, self._seen = clock(), self._marked()
        self._held = load(folder, judge)

    def __call__(self) -> Schemes:
        """The schemes of this moment: whole before or whole after a reload."""
        now = self._clock()
        if abs(now - self._looked) >= LOOK_EVERY and self._looking.acquire(blocking=False):
            try:
                self._look(now)
            finally:
                self._looking.release()
        return self._held

    def _look(self, now: datetime) -> None:
        self._looked = now
        seen = self._marked()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._held = load(self._folder, self._judge)
        except (SchemeRejected, OSError) as error:
            _log.warning("The schemes stay as they were: %s", error)

    def _marked(self) -> int:
        try:
            return (self._folder / MARK).stat().st_mtime_ns
        except OSError:
            return 0


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)
