"""Where a flow's time of the processor goes in ours: for which room, and in which library.

The application runs as shipped, each request under cProfile on its thread's own clock. What C
code uses counts for the Python function that called it; what a library uses counts for the rooms
that called it, each by its share. Profiling itself costs, and more where calls are small: read
shares.
"""

import cProfile
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import Any, NamedTuple

from bench.flows import load, relying
from bench.flows.contestant import FLOW, ROOT
from bench.flows.ours import Ours

APPLICATION = "bench.flows.served:profiled"
WRITTEN_EACH_S = 1.0
OUT = "profile.json"
_LINES = 14
_ROUNDS = 30
"""After which shares no longer change: no chain of libraries is longer."""

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Place(NamedTuple):
    """A function. Code objects will not do as keys: equal ones stand in several files."""

    file: str
    line: int
    name: str


Seconds = defaultdict[str, float]
Edges = defaultdict[tuple[Place, Place], float]


def profiled(app: Wsgi) -> Wsgi:
    """The application, every request of it profiled; what was found is written every second."""
    held = threading.local()
    profiles: list[cProfile.Profile] = []

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if not hasattr(held, "profile"):
            held.profile = cProfile.Profile(time.thread_time, builtins=False)
            profiles.append(held.profile)
        return list(held.profile.runcall(app, environ, start))

    place = Path(os.environ["BENCH_OUT"], OUT)
    threading.Thread(target=_write, args=(profiles, place), daemon=True).start()
    return answer


def _write(profiles: list[cProfile.Profile], place: Path) -> None:
    while True:
        time.sleep(WRITTEN_EACH_S)
        draft = place.with_suffix(".draft")
        draft.write_text(json.dumps(found([p.getstats() for p in list(profiles)])))
        draft.replace(place)


def found(profiles: Iterable[Iterable[Any]]) -> dict[str, dict[str, float]]:
    """Seconds by room and by library, out of what `cProfile.Profile.getstats` gave."""
    own, edges = defaultdict[Place, float](float), Edges(float)
    for entry in (entry for entries in profiles for entry in entries):
        place = _place(entry.code)
        own[place] += entry.inlinetime
        for call in entry.calls or ():
            edges[place, _place(call.code)] += call.totaltime
    libraries, rooms = Seconds(float), Seconds(float)
    blamed = _blamed(own, edges)
    for code, seconds in own.items():
        libraries[_owner(code)] += seconds
        for room, share in blamed[code].items():
            rooms[room] += seconds * share
    return {"rooms": dict(rooms), "libraries": dict(libraries)}


def _blamed(own: Iterable[Place], edges: Edges) -> Mapping[Place, Mapping[str, float]]:
    """For each function the rooms for which it ran, by share."""
    callers: dict[Place, dict[Place, float]] = {}
    for (caller, called), seconds in edges.items():
        if caller is not called:
            callers.setdefault(called, {})[caller] = seconds
    codes = [*own]
    shares: dict[Place, dict[str, float]] = {code: _known(code) for code in codes}
    for _ in range(_ROUNDS):
        for code in codes:
            if not _is_ours(code):
                shares[code] = _mixed(callers.get(code, {}), shares)
    return shares


def _place(code: CodeType) -> Place:
    return Place(code.co_filename, code.co_firstlineno, code.co_qualname)


def _known(code: Place) -> dict[str, float]:
    return {_owner(code): 1.0} if _is_ours(code) else {}


def _mixed(
    callers: Mapping[Place, float], shares: Mapping[Place, Mapping[str, float]]
) -> dict[str, float]:
    mixed = Seconds(float)
    for caller, seconds in callers.items():
        for room, share in shares.get(caller, {}).items():
            mixed[room] += share * seconds
    total = sum(mixed.values())
    return {room: part / total for room, part in mixed.items()} if total else {"the framework": 1.0}


def _is_ours(code: Place) -> bool:
    return code.file.startswith(str(ROOT / "broker"))


def _owner(code: Place) -> str:
    """The room, or the library, two names deep."""
    path = Path(code.file)
    if _is_ours(code):
        parts = path.relative_to(ROOT).with_suffix("").parts
    elif "site-packages" in path.parts:
        parts = path.parts[path.parts.index("site-packages") + 1 :]
    else:
        return "Python"
    return ".".join(part.removesuffix(".py") for part in parts[:2])


def report(seconds: float, people: int) -> str:
    """The two tables, of a run of this many seconds."""
    ours = Ours("sqlite", people, application=APPLICATION)
    with TemporaryDirectory(prefix="miftah-bench-") as name:
        folder = Path(name)
        ours.prepare(folder)
        with ours.serve(folder) as served:
            relying.verify(served)
            figures = load.run(served, FLOW, folder, seconds, 1)
            time.sleep(2 * WRITTEN_EACH_S)
            shares = json.loads((folder / OUT).read_text())
    said = f"{figures.cpu_us:.0f} µs a flow, profiled, `work` and the server's own share included"
    tables = (_table(title, shares[title]) for title in ("rooms", "libraries"))
    return "\n\n".join((said, *tables))


def _table(title: str, seconds: Mapping[str, float]) -> str:
    total = sum(seconds.values())
    rows = sorted(seconds.items(), key=lambda row: -row[1])[:_LINES]
    lines = [f"| {name} | {100 * part / total:.1f} % |" for name, part in rows]
    return "\n".join((f"| {title} | share |", "| --- | --- |", *lines))
