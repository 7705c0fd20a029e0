"""The folder in which processes share what they count: a file each, and what the dead have left.

Each process writes to a file of its own, mapped into memory, and holds a lock on it as long as it
lives; the kernel lets go of the lock when it dies, however it dies. Whoever looks adds the files
of the dead to `past.json`, so that counters never fall, and removes them.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from prometheus_client.mmap_dict import MmapedDict

from broker.measuring.catalogue import BY_NAME
from broker.measuring.measure import Kind

Values = dict[str, tuple[float, float]]
"""Key (`key`) → value, and when it was noted in seconds since 1970 (0 where that is not kept)."""

SIZE: Final = 1 << 22
"""Bytes of a process's file from the start: more than `shared.MOST` rows need, so that writing
never needs new room. A page of the file that a full disk has no room for would kill the process.
"""

_PAST, _LOCK, _LIVE = "past.json", "lock", "*.live"


def key(measure: str, part: str, *labels: str) -> str:
    """What a value is stored under; `part` is "" or, of a histogram, "sum" or an upper bound."""
    return json.dumps((measure, part, *labels))


def parts(stored: str) -> tuple[str, str, tuple[str, ...]]:
    """The measure's name, the part and the labels of a key."""
    measure, part, *labels = json.loads(stored)
    return measure, part, tuple(labels)


def begin(path: Path) -> tuple[MmapedDict, int]:
    """A new file of this process, and what holds the lock on it. Raises OSError."""
    with _alone(path.parent):
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.posix_fallocate(held, 0, SIZE)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return MmapedDict(str(path)), held  # type: ignore[no-untyped-call]


def gathered(folder: Path) -> tuple[Values, int]:
    """What all processes have counted, living and dead, and how many live."""
    with _alone(folder):
        past, living = _past(folder), list[Values]()
        # Those of another user, who ran a command say, are theirs.
        every = [path for path in sorted(folder.glob(_LIVE)) if os.access(path, os.R_OK)]
        dead = [path for path in every if _is_dead(path)]
        for path in every:
            (past if path in dead else living).append(_values(path))
        before = merged(past, dead=True)
        if dead:
            _keep(folder, before)
            for path in dead:
                path.unlink()
    return merged([before, *living]), len(living)


def merged(each: list[Values], *, dead: bool = False) -> Values:
    """The values of several processes as one; of the `dead`, not what they held."""
    whole: Values = {}
    for key_, (value, at) in (item for values in each for item in values.items()):
        measure = BY_NAME.get(parts(key_)[0])
        if measure is None or (dead and measure.kind is Kind.HELD):
            continue
        held, since = whole.get(key_, (0.0, 0.0))
        if measure.kind is not Kind.NEWEST:
            whole[key_] = held + value, 0.0
        elif at >= since:
            whole[key_] = value, at
    return whole


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        yield


def _is_dead(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _values(path: Path) -> Values:
    # Room that was taken and never written to is all zeros: no value.
    found = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]
    return {key_: (value, at) for key_, value, at, _ in found}


def _past(folder: Path) -> list[Values]:
    with suppress(FileNotFoundError, ValueError):
        kept: Mapping[str, list[float]] = json.loads((folder / _PAST).read_text("utf-8"))
        return [{key_: (value, at) for key_, (value, at) in kept.items()}]
    return []


def _keep(folder: Path, values: Values) -> None:
    draft = folder / f"{_PAST}.draft"
    draft.write_text(json.dumps(values), "utf-8")
    draft.replace(folder / _PAST)
