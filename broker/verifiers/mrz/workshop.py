"""The process that opens and reads pictures: bounded, with no way to the network or to files.

    python -m broker.verifiers.mrz.workshop MODULE:FUNCTION MEGABYTES

It is its own program and not a fork: the broker's threads, keys and connections are not in it.
"""

import os
import resource
import select
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from broker.errors import EvidenceRejected
from broker.verifiers.mrz.answer import Read
from broker.verifiers.mrz.frames import OPENED, READY, take, tell, to_json
from broker.verifiers.mrz.picture import open_picture

IDLE: Final = 600
"""Seconds without a picture after which the process ends: an idle broker is a small one."""

LEAST_MB: Final = 128
"""What opening pictures is given in any case, however large the reader itself has become."""

CPU_SECONDS: Final = 60
"""For one request; the broker's patience ends before, unless the broker itself has ended."""

SQUARE: Final = 128
"""Rows of a matrix that is not so small that products are made in place."""

OUT_OF_MEMORY: Final = "picture_too_costly"


def main() -> None:
    """Read until the broker is gone or has had nothing to read for IDLE seconds."""
    read, total_mb = _named(sys.argv[1]), int(sys.argv[2])
    # What a library prints must not pass for an answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    warm(read)
    confine(total_mb)
    tell(answers, READY)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    while poll.poll(IDLE * 1000) and (uploads := take(0)) is not None:
        allow_cpu(CPU_SECONDS)
        tell(answers, _answered(read, uploads, lambda: tell(answers, OPENED)))
        del uploads


def warm(read: Read) -> None:
    """Load whatever is loaded once, and let be reserved what is reserved once, before bounds."""
    read((Image.new("RGB", (640, 480), "white"),))
    # The first product of two matrices reserves 32 MB that hardly any product ever touches.
    _ = np.eye(SQUARE) @ np.eye(SQUARE)


def confine(total_mb: int) -> None:
    """Bound this process, once and for all, to `total_mb` megabytes in memory and no new file."""
    own = _memory_kb()
    # Address space says little: libraries reserve what they never touch. RLIMIT_DATA counts what
    # can be written, so what may still be added is what is missing to the total.
    left = max(LEAST_MB * 1024, total_mb * 1024 - own["VmRSS"])
    _at_most(resource.RLIMIT_DATA, (own["VmData"] + left) * 1024)
    _at_most(resource.RLIMIT_FSIZE, 0)
    sys.dont_write_bytecode = True  # of what is loaded later
    _at_most(resource.RLIMIT_CORE, 0)
    _at_most(resource.RLIMIT_NOFILE, 64)


def allow_cpu(seconds: int) -> None:
    """Let this process compute so much more before the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _answered(
    read: Read, uploads: tuple[bytes, ...], opened: Callable[[], None]
) -> dict[str, object]:
    try:
        pictures = tuple(open_picture(upload) for upload in uploads)
        opened()
        return to_json(read(pictures))
    except EvidenceRejected as refusal:
        return {"refused": refusal.code}
    except MemoryError:
        return {"refused": OUT_OF_MEMORY}


def _named(path: str) -> Read:
    module, _, function = path.partition(":")
    read: Read = getattr(import_module(module), function)
    return read


def _at_most(kind: int, most: int) -> None:
    resource.setrlimit(kind, (most, most))


def _memory_kb() -> dict[str, int]:
    """Kilobytes by name, as Linux counts them (proc_pid_status(5))."""
    rows = (row.split() for row in Path("/proc/self/status").read_text().splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows if row[-1] == "kB"}


if __name__ == "__main__":
    main()
