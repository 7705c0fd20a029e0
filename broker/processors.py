"""Which processor a worker keeps to: threads that wake each other find warm caches only there.

One of a worker's threads works at a time, mostly; on two processors each finds what the other has
left in another cache. So all of them keep to one, as long as others leave them that one: once a
second a worker looks at who uses it, moves to a freer one, or leaves the choice to the kernel.

The main thread has nothing to do once the server runs, and is left as it is: its processors are
those that the worker may use, and those of every process that it starts (`set_free`).
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, process_time
from typing import Final

CROWDED: Final = 0.25
"""Of a processor: from there on what others use of ours is worth moving for."""
FREER: Final = 0.2
"""Of a processor: what another one must have less to be worth it."""
FULL: Final = 0.9
"""Of a processor: from there on nobody on it has what they want."""
PATIENCE: Final = 2
"""Looks in a row at which it is crowded, before anything is done about it."""
STAYING: Final = 0.5
"""How likely one that is crowded stays for another look: its neighbour may be the one to go."""
REST: Final = 10
"""Looks, at least, for which the kernel chooses; at most twice as many."""

STAT: Final = Path("/proc/stat")

Draw = Callable[[], float]
"""A chance from 0 to 1, so that workers that are crowded together do not all move at once."""


@dataclass(frozen=True, slots=True)
class Look:
    """Seconds until now: of the clock, of all threads of this process, of each processor it has."""

    at: float
    own: float
    busy: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Seat:
    """The processor that the worker keeps to; None: the kernel chooses."""

    on: int | None = None
    crowded: int = 0
    """Looks in a row at which others used too much of it."""
    rests: int = 0
    """Looks until it is worth trying again."""


def seat_after(seat: Seat, before: Look, now: Look, draw: Draw) -> Seat:
    """Where to be after what was seen between two looks."""
    wall = max(now.at - before.at, 1e-3)
    own = (now.own - before.own) / wall
    used = {p: (busy - before.busy.get(p, busy)) / wall for p, busy in now.busy.items()}
    if seat.on is None or seat.on not in used:
        return _seat_of_one_who_stands(seat, used, own, draw)
    full = used[seat.on] >= FULL
    used[seat.on] -= own  # what others use of it
    return _seat_of_one_who_sits(seat, used, draw, full=full)


def _seat_of_one_who_stands(seat: Seat, used: Mapping[int, float], own: float, draw: Draw) -> Seat:
    if seat.rests:
        return replace(seat, on=None, rests=seat.rests - 1)
    of_others = sum(used.values()) - own
    if of_others > len(used) - 1 + CROWDED:
        return Seat()  # wherever we sat, they would have to sit there too
    return Seat(_freest(used, draw))


def _seat_of_one_who_sits(
    seat: Seat, others: Mapping[int, float], draw: Draw, *, full: bool
) -> Seat:
    here = others[seat.on]  # type: ignore[index]  # it sits
    if here <= CROWDED:
        return Seat(seat.on)
    if seat.crowded + 1 < PATIENCE or draw() < STAYING:
        return replace(seat, crowded=seat.crowded + 1)
    freer = {p: used for p, used in others.items() if used <= here - FREER}
    if freer:
        return Seat(_freest(freer, draw))
    return Seat(rests=REST + int(draw() * REST)) if full else seat


def _freest(used: Mapping[int, float], draw: Draw) -> int:
    """One of those of which hardly more is used than of the freest."""
    least = min(used.values())
    near = sorted(p for p, share in used.items() if share <= least + FREER / 2)
    return near[min(int(draw() * len(near)), len(near) - 1)]


def keep_to_one(draw: Draw, stat: Path = STAT) -> Iterator[Seat]:
    """Each step looks, and keeps all threads but the main one to what came of it.

    Ends where there is nothing to choose from, or nothing can be seen or done (another system, a
    sandbox): then the kernel chooses.
    """
    with suppress(OSError, ValueError):
        seat, before = Seat(), look(stat)
        while len(before.busy) > 1:
            yield seat
            now = look(stat)
            seat, before = seat_after(seat, before, now, draw), now
            sit({seat.on} if seat.on is not None else set(now.busy))
    with suppress(OSError):
        sit(ours())


def look(stat: Path = STAT) -> Look:
    """What was used until now of the processors that we may use. Raises OSError, ValueError."""
    told = busy_in(stat.read_text("ascii"), os.sysconf("SC_CLK_TCK"))
    return Look(monotonic(), process_time(), {p: told[p] for p in ours() if p in told})


def busy_in(stat: str, ticks: int) -> dict[int, float]:
    """Seconds for which each processor was at work (proc_stat(5)). Raises ValueError."""
    found = {}
    for line in stat.splitlines()[1:]:  # the first is the sum of them
        if not line.startswith("cpu"):
            break
        name, *said = line.split()
        user, nice, system, _idle, _waiting, *rest = map(int, said[:8])
        found[int(name.removeprefix("cpu"))] = (user + nice + system + sum(rest)) / ticks
    return found


def ours() -> set[int]:
    """The processors that this process may use: those of its main thread."""
    return os.sched_getaffinity(os.getpid()) if sys.platform == "linux" else set()


def sit(processors: set[int]) -> None:
    """Keep every thread but the main one to these."""
    if sys.platform == "linux" and processors:
        for thread in Path("/proc/self/task").iterdir():
            if int(thread.name) != os.getpid():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), processors)


def set_free(process: int) -> None:
    """Let a process that a thread of ours has just started use every processor that we may use."""
    with suppress(OSError):
        if sys.platform == "linux":
            os.sched_setaffinity(process, ours())
