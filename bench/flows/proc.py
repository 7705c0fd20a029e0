"""What processes cost, read from /proc: time of the processor, memory, and the machine's own."""

import os
import platform
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
_STARTED_US, _RESTING_US = 100_000, 30_000
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """MiB: as each process counts it, and with shared pages counted once (PSS)."""

    rss: float
    pss: float


def tree(roots: Iterable[int]) -> set[int]:
    """These processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for pid, fields in _stats():
        children.setdefault(int(fields[1]), []).append(pid)
    found, waiting = set(), list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def cpu_us(roots: Iterable[int]) -> int:
    """Microseconds of the processor that the trees have used, children that ended included."""
    members = tree(roots)
    # Fields 14-17 of proc(5), counted behind the name: utime, stime, cutime, cstime.
    return sum(
        sum(int(f) for f in fields[11:15]) * TICK_US for pid, fields in _stats() if pid in members
    )


def settle(roots: Iterable[int], within_s: float = 60) -> None:
    """Wait until the trees rest: what a start costs is no operation's."""
    roots, before, began = list(roots), -1, time.monotonic()
    while time.monotonic() - began < within_s:
        used = cpu_us(roots)
        if used - before < _RESTING_US and used > _STARTED_US:
            return
        before = used
        time.sleep(0.5)


def memory(roots: Iterable[int]) -> Memory:
    """The memory of the trees."""
    rss = pss = 0
    for pid in tree(roots):
        try:
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:  # it ended meanwhile
            continue
        said = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
        rss, pss = rss + int(said["Rss"]), pss + int(said["Pss"])
    return Memory(rss / 1024, pss / 1024)


def busy_us() -> int:
    """Microseconds for which any processor of the machine was busy, since it started."""
    user, nice, system, _idle, _wait, irq, soft, steal = _machine()[:8]
    return (user + nice + system + irq + soft + steal) * TICK_US


def machine() -> str:
    """One line about this machine."""
    info = (PROC / "cpuinfo").read_text()
    model = next(line.split(":")[1].strip() for line in info.splitlines() if "model name" in line)
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python, system = platform.python_version(), platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{os.cpu_count()} × {model}, {gib:.0f} GiB, {system}, Python {python}"


def _stats() -> Iterator[tuple[int, list[str]]]:
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:  # it ended meanwhile
                continue
            yield int(folder.name), text.rpartition(")")[2].split()


def _machine() -> list[int]:
    return [int(n) for n in (PROC / "stat").read_text().splitlines()[0].split()[1:]]
