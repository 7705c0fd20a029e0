"""Interleaved rounds: every provider is served anew, then each operation goes round them all."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.flows import load, proc, relying
from bench.flows.contestant import FLOW, BenchFailed, Contestant, Served
from bench.flows.load import Figures
from bench.flows.proc import Memory

SLOW_MS = 200.0
"""Beyond this median a flow is measured three times as long, or too few would be counted."""

_NONE = Memory(0, 0)


@dataclass(frozen=True)
class Effort:
    """What is measured, and the seconds of a flow, of any other operation, and of a warm-up."""

    operations: Sequence[str]

    flow: float
    other: float
    warm_up: float


@dataclass
class Visit:
    """One provider in one round; memory of what serves, and of what stands beside it."""

    contestant: str
    round: int
    cold_s: float
    idle: Memory
    idle_beside: Memory
    loaded: Memory = _NONE
    loaded_beside: Memory = _NONE
    figures: dict[str, Figures] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the raw results."""
        return asdict(self)


def rounds(
    contestants: Sequence[Contestant], folder: Path, count: int, effort: Effort
) -> Iterator[list[Visit]]:
    """The visits of each round. Raises BenchFailed at the first operation that fails."""
    places = {c.name: folder / c.name for c in contestants}
    for c in contestants:
        ready = places[c.name] / "ready"
        if not ready.exists():
            places[c.name].mkdir()
            c.prepare(places[c.name])
            ready.touch()
    for number in range(count):
        turn = number % len(contestants)
        yield _round([*contestants[turn:], *contestants[:turn]], places, number, effort)


def _round(
    contestants: Sequence[Contestant], places: dict[str, Path], number: int, effort: Effort
) -> list[Visit]:
    with ExitStack() as stack:
        present = []
        for c in contestants:
            served = stack.enter_context(c.serve(places[c.name]))
            _verify(c, served)
            memory = proc.memory(served.servers), proc.memory(served.helpers)
            present.append((c, served, Visit(c.name, number, served.cold_s, *memory)))
        for operation in effort.operations:
            for c, served, visit in present:
                if operation in c.operations:
                    figures = _measured(c, served, operation, places[c.name], effort)
                    visit.figures[operation] = figures
        for _, served, visit in present:
            visit.loaded = proc.memory(served.servers)
            visit.loaded_beside = proc.memory(served.helpers)
        return [visit for *_, visit in present]


def _verify(c: Contestant, served: Served) -> None:
    try:
        relying.verify(served)
    except (BenchFailed, ValueError, KeyError) as error:
        raise BenchFailed(f"{c.name} did not pass verification: {error}") from error


def _measured(
    c: Contestant, served: Served, operation: str, folder: Path, effort: Effort
) -> Figures:
    seconds = effort.flow if operation == FLOW else effort.other
    try:
        found = load.run(served, operation, folder, seconds, effort.warm_up)
        if found.p50 > SLOW_MS:
            found = load.run(served, operation, folder, 3 * seconds, 0)
    except BenchFailed as error:
        raise BenchFailed(f"{c.name}: {error}") from error
    return found
