"""What the broker and its reading process say to one another: files one way, JSON the other.

The process handles hostile bytes, so nothing it says is ever unpickled or otherwise run.
"""

import json
import os
import select
import struct
from collections.abc import Sequence
from time import monotonic
from typing import Any

from broker.errors import EvidenceRejected
from broker.verifiers.mrz.answer import Answer, Cause

CHUNK = select.PIPE_BUF
"""Bytes that a pipe which is ready surely takes without blocking."""

LONGEST = 64 * 1024
"""Bytes of the longest line that is believed: two zones and their names are under 1 kB."""

MOST_FILES = 8
READY, OPENED = {"stage": "ready"}, {"stage": "opened"}


class Late(Exception):
    """The other side has not answered in time."""


class Gone(Exception):
    """The other side has ended, or speaks nonsense."""


def send(pipe: int, files: Sequence[bytes], until: float) -> None:
    """Write the files with their lengths. Raises Late at `until` (monotonic seconds), Gone."""
    head = struct.pack(f">B{len(files)}I", len(files), *map(len, files))
    rest = memoryview(b"".join((head, *files)))
    while rest:
        _wait(pipe, select.POLLOUT, until)
        try:
            rest = rest[os.write(pipe, rest[:CHUNK]) :]
        except BrokenPipeError as error:
            raise Gone from error


def take(pipe: int) -> tuple[bytes, ...] | None:
    """The next files, however long they take to come; None once the other side is gone."""
    count = _exactly(pipe, 1)
    if not count or count[0] > MOST_FILES:
        return None
    sizes = struct.unpack(f">{count[0]}I", _exactly(pipe, 4 * count[0]))
    return tuple(_exactly(pipe, size) for size in sizes)


def tell(pipe: int, said: dict[str, Any]) -> None:
    """Write one line of JSON."""
    os.write(pipe, json.dumps(said).encode() + b"\n")


def hear(pipe: int, begun: bytearray, until: float) -> dict[str, Any]:
    """The next line of JSON; `begun` holds what came of the next ones. Raises Late, Gone."""
    while b"\n" not in begun:
        _wait(pipe, select.POLLIN, until)
        more = os.read(pipe, LONGEST)
        if not more or len(begun) + len(more) > LONGEST:
            raise Gone
        begun += more
    line, _, rest = bytes(begun).partition(b"\n")
    begun[:] = rest
    try:
        said = json.loads(line)
    except ValueError as error:
        raise Gone from error
    if not isinstance(said, dict):
        raise Gone
    return said


def to_json(answer: Answer) -> dict[str, Any]:
    """As `from_json` reads it."""
    return {"zones": answer.zones, "cause": answer.cause, "sure": answer.sure}


def from_json(said: dict[str, Any], codes: frozenset[str]) -> Answer:
    """What the process answered. Raises EvidenceRejected with a code of `codes`, or Gone."""
    if "refused" in said:
        if said["refused"] not in codes:
            raise Gone
        raise EvidenceRejected(said["refused"])
    try:
        zones = tuple(tuple(str(line) for line in zone) for zone in said["zones"])
        sure = tuple(tuple(tuple(map(int, row)) for row in zone) for zone in said["sure"])
        return Answer(zones, None if said["cause"] is None else Cause(said["cause"]), sure)
    except (KeyError, TypeError, ValueError) as error:
        raise Gone from error


def _wait(pipe: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, until - monotonic()) * 1000):
        raise Late


def _exactly(pipe: int, size: int) -> bytes:
    """`size` bytes, fewer only if the other side has ended."""
    parts: list[bytes] = []
    while size and (part := os.read(pipe, min(size, 1 << 20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
