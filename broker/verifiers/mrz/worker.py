"""Reads pictures in a process of its own, which is killed and replaced when it misbehaves."""

import logging
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Lock
from time import monotonic

from broker.errors import EvidenceRejected, UpstreamUnavailable
from broker.measuring import SILENT, Meter
from broker.measuring.catalogue import READERS_KILLED
from broker.processors import set_free
from broker.verifiers.mrz.answer import Answer
from broker.verifiers.mrz.frames import OPENED, READY, Gone, Late, from_json, hear, send
from broker.verifiers.mrz.refusals import REFUSALS

BUSY = "reader_busy"
TOO_COSTLY = "picture_too_costly"
GONE = "reader_gone"

_FATAL = ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGXCPU")
OWN_FAULT = frozenset(-getattr(signal, name).value for name in _FATAL)
"""Exit codes of a process that a picture has felled, as subprocess tells them."""

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONPATH": str(Path(__file__).parents[3]),
    "LC_ALL": "C.UTF-8",
    # Threads of one small picture only get in each other's way.
    "OMP_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # What a picture has needed goes back to the system at once, not at the process's end.
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "262144",
    "MALLOC_ARENA_MAX": "1",
}
"""All of the process's environment: no setting, secret or proxy of the broker is in it."""

DYING = 0.1
"""Seconds between the end of a process's answers and its own."""

_log = logging.getLogger("broker.reading")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds, except where said; `waiting` is a number of requests, the one served included."""

    memory_mb: int = 300
    starting: float = 60
    opening: float = 2
    """For all files of a request to open, once they have arrived; a clear answer afterwards."""
    reading: float = 20
    waiting: int = 8
    patience: float = 30
    """How long a request may stand in the queue."""


@dataclass(slots=True)
class Child:
    """One process and what it has said so far."""

    process: subprocess.Popen[bytes]
    heard: bytearray = field(default_factory=bytearray)
    is_ready: bool = False

    def ask(self, uploads: Sequence[bytes], bounds: Bounds) -> Answer:
        """What it reads. Raises EvidenceRejected as it says, Late and Gone."""
        if self.process.stdin is None or self.process.stdout is None:
            raise Gone
        into, out = self.process.stdin.fileno(), self.process.stdout.fileno()
        if not self.is_ready:
            self.is_ready = hear(out, self.heard, monotonic() + bounds.starting) == READY
        opened_by = monotonic() + bounds.opening
        send(into, uploads, opened_by)
        said = hear(out, self.heard, opened_by)
        if said == OPENED:
            said = hear(out, self.heard, monotonic() + bounds.reading)
        return from_json(said, frozenset(REFUSALS))


class Worker:
    """One reading process at a time, started at the first picture; safe to share by threads.

    `reader` names a function (module:function) that fits `answer.Read`.
    """

    def __init__(self, reader: str, bounds: Bounds | None = None, meter: Meter = SILENT) -> None:
        self._reader, self._bounds, self._meter = reader, bounds or Bounds(), meter
        self._seats = BoundedSemaphore(self._bounds.waiting)
        self._turn = Lock()
        self._held: list[Child] = []
        weakref.finalize(self, _end, self._held)

    def __call__(self, uploads: Sequence[bytes]) -> Answer:
        """See ReadUploads; also raises EvidenceRejected where too many wait already.

        Raises UpstreamUnavailable where the process cannot be started: no picture is to blame.
        """
        if not self._seats.acquire(blocking=False):
            raise EvidenceRejected(BUSY)
        try:
            if not self._turn.acquire(timeout=self._bounds.patience):
                raise EvidenceRejected(BUSY)
            try:
                return self._read(uploads)
            finally:
                self._turn.release()
        finally:
            self._seats.release()

    def stop(self) -> None:
        """End the process; the next picture starts another."""
        with self._turn:
            _end(self._held)

    @property
    def process_id(self) -> int | None:
        """The process that reads now, None where there is none."""
        return self._held[0].process.pid if self._held else None

    def _read(self, uploads: Sequence[bytes]) -> Answer:
        """Twice at most: whoever kills the process, the request that it served is not lost.

        Not where the process fell by itself: the same picture would fell the next one too.
        """
        child = None
        for _ in range(2):
            try:
                child = self._started()
                return child.ask(uploads, self._bounds)
            except OSError as error:
                raise UpstreamUnavailable(GONE, type(error).__name__) from error
            except (Late, Gone) as end:
                code = _end(self._held)
                self._meter.count(READERS_KILLED, type(end).__name__.lower())
                _log.warning("reading process is replaced: %s, %s", type(end).__name__, code)
                if isinstance(end, Late) or code in OWN_FAULT:
                    break
        if child is None or not child.is_ready:
            raise UpstreamUnavailable(GONE, "the reading process did not start")
        raise EvidenceRejected(TOO_COSTLY)

    def _started(self) -> Child:
        if not self._held:
            command = (sys.executable, "-m", "broker.verifiers.mrz.workshop")
            process = subprocess.Popen(  # noqa: S603  our own program
                (*command, self._reader, str(self._bounds.memory_mb)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # A traceback might quote what stands in a document.
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT,
                bufsize=0,
                start_new_session=True,
            )
            set_free(process.pid)  # else it would compute on the processor that answers sign-ins
            self._held.append(Child(process))
        return self._held[0]


def _end(held: list[Child]) -> int | None:
    """Kill the process with all that it started; its exit code, None where there was none."""
    code = None
    while held:
        process = held.pop().process
        with suppress(subprocess.TimeoutExpired):
            process.wait(DYING)  # how it ended by itself, if it did
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with process:  # closes both pipes and waits
            pass
        code = process.returncode
    return code
