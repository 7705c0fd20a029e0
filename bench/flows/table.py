"""The tables: what each provider did, and what that makes of the promises."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.flows.contestant import (
    CREDENTIALS,
    CREDENTIALS_JWT,
    FLOW,
    INTROSPECTION,
    OPERATIONS,
    STATIC,
)
from bench.flows.measure import Visit

Figure = Callable[[Visit], float]

_TITLES = {
    FLOW: "flow",
    CREDENTIALS: "client credentials",
    CREDENTIALS_JWT: "same, JWT",
    INTROSPECTION: "introspection",
    "discovery": "discovery",
    "jwks": "JWKS",
}


def _cpu(operation: str) -> Figure:
    return lambda visit: visit.figures[operation].cpu_us


def _rate(operation: str) -> Figure:
    return lambda visit: visit.figures[operation].per_second


def _p99(visit: Visit) -> float:
    return visit.figures[FLOW].p99


def _rss(visit: Visit) -> float:
    return visit.loaded.rss


def _cold(visit: Visit) -> float:
    return visit.cold_s


@dataclass(frozen=True)
class Promise:
    """Ours over theirs, or theirs over ours where `inverse`; without `theirs` ours alone.

    `must` and `aim` are what is promised and hoped for: at least, or at most where `falls`.
    """

    what: str
    figure: Figure
    ours: str
    theirs: str = ""
    must: float | None = None
    aim: float | None = None
    inverse: bool = False
    falls: bool = False

    def line(self, visits: Sequence[Visit]) -> str | None:
        """A row of the table, or None where somebody was not measured."""
        pairs = self._pairs(visits)
        if not pairs:
            return None
        middle, low, high = median(pairs), min(pairs), max(pairs)
        verdict = "" if self.must is None else "yes" if self._keeps(middle) else "**no**"
        who = f"{self.ours} ÷ {self.theirs}" if self.theirs else self.ours
        promised = [_short(p) if p is not None else "" for p in (self.must, self.aim)]
        return _row(
            self.what, who, f"{_short(middle)} ({_short(low)}–{_short(high)})", *promised, verdict
        )

    def _pairs(self, visits: Sequence[Visit]) -> list[float]:
        found: list[float] = []
        for number in sorted({v.round for v in visits}):
            at = {v.contestant: v for v in visits if v.round == number}
            try:
                ours = self.figure(at[self.ours])
                theirs = self.figure(at[self.theirs]) if self.theirs else 1.0
            except KeyError:
                continue
            found.append(theirs / ours if self.inverse else ours / theirs)
        return found

    def _keeps(self, found: float) -> bool:
        return self.must is not None and (found <= self.must if self.falls else found >= self.must)


def _per_cpu(
    operation: str, ours: str, theirs: str, must: float | None = None, aim: float | None = None
) -> Promise:
    what = f"{_TITLES[operation]} per CPU-second"
    return Promise(what, _cpu(operation), ours, theirs, must, aim, inverse=True)


OURS, NORMAL, PG = "ours-sqlite", "ours-sqlite-normal", "ours-postgres"
MAP, NODE_SQLITE, NODE_PG = "node-map", "node-sqlite", "node-postgres"

PROMISES = (
    _per_cpu(FLOW, OURS, MAP, 1.0, 2.5),
    _per_cpu(FLOW, NORMAL, MAP),
    _per_cpu(FLOW, NORMAL, NODE_SQLITE, 1.8, 4.0),
    _per_cpu(FLOW, PG, NODE_PG),
    Promise("flow per second", _rate(FLOW), PG, NODE_PG, 1.5, 3.0),
    Promise("flow per second", _rate(FLOW), OURS, "canaille", 80.0, 250.0),
    _per_cpu(FLOW, OURS, "canaille"),
    _per_cpu(CREDENTIALS, OURS, MAP, 1.0, 2.5),
    _per_cpu(CREDENTIALS_JWT, OURS, MAP),
    _per_cpu(CREDENTIALS, NORMAL, NODE_SQLITE),
    _per_cpu(INTROSPECTION, OURS, MAP),
    _per_cpu("discovery", OURS, MAP, 1.5, 4.0),
    _per_cpu("jwks", OURS, MAP, 1.5, 4.0),
    Promise("p99 of a flow", _p99, OURS, MAP, 0.8, 0.45, falls=True),
    Promise("p99 of a flow", _p99, NORMAL, NODE_SQLITE, falls=True),
    Promise("p99 of a flow", _p99, PG, NODE_PG, falls=True),
    Promise("RSS under load", _rss, OURS, MAP, 0.5, 0.35, falls=True),
    Promise("cold start, s", _cold, OURS, "", 1.0, 0.5, falls=True),
    *(
        Promise("two workers ÷ one, flow per second", _rate(FLOW), f"{one}-x2", one, 1.6, 1.9)
        for one in (NORMAL, PG)
    ),
    *(
        promise
        for one in (NORMAL, OURS, PG)
        for promise in (
            _per_cpu(FLOW, one, f"{one}-all"),
            Promise("flow per second", _rate(FLOW), one, f"{one}-all"),
            Promise("p99 of a flow", _p99, one, f"{one}-all", falls=True),
        )
    ),
    *(
        Promise("growth of a flow's CPU", _cpu(FLOW), large, small, 1.25, 1.1, falls=True)
        for large, small in ((f"{NORMAL}-large", f"{NORMAL}-small"),)
    ),
)


def promises(visits: Sequence[Visit]) -> str:
    """The second table: medians of the paired rounds, with their range."""
    lines = [line for p in PROMISES if (line := p.line(visits))]
    head = ("measure", "of", "median (range)", "must", "aim", "kept")
    return "\n".join((_row(*head), _row(*["---"] * len(head)), *lines))


def figures(visits: Sequence[Visit]) -> str:
    """The first table: per second, microseconds of the processor each; medians of the rounds."""
    names = list(dict.fromkeys(v.contestant for v in sorted(visits, key=lambda v: v.contestant)))
    done = [o for o in OPERATIONS if any(o in v.figures for v in visits)]
    head = ["provider", *(f"{_TITLES[o]} /s; µs" for o in done)]
    head += ["flow p50/p95/p99 ms", "RSS idle → load MiB", "beside (PSS)", "cold start s"]
    rows = [_figures([v for v in visits if v.contestant == name], done) for name in names]
    return "\n".join((_row(*head), _row(*["---"] * len(head)), *rows))


def noise(visits: Sequence[Visit]) -> str:
    """How busy others kept the machine, round by round, in processors' worth."""
    said = []
    for number in sorted({v.round for v in visits}):
        loads = [f.foreign for v in visits if v.round == number for f in v.figures.values()]
        said.append(f"{median(loads):.2f} ({min(loads):.2f}–{max(loads):.2f})")
    flows = (f.generator for v in visits for o, f in v.figures.items() if o not in STATIC)
    ours = max(flows, default=0.0)
    rest = [f.generator for v in visits for o, f in v.figures.items() if o in STATIC]
    return (
        f"Foreign load by round, processors: {'; '.join(said)}. "
        f"The generator took at most {ours:.2f}"
        + (f", and {max(rest):.2f} for static answers." if rest else ".")
    )


def _figures(visits: Sequence[Visit], done: Iterable[str]) -> str:
    cells = [visits[0].contestant]
    for operation in done:
        of = [v.figures[operation] for v in visits if operation in v.figures]
        rate, cpu = (f.per_second for f in of), [f.cpu_us for f in of]
        cells.append(
            f"{_short(median(rate))}; {_short(median(cpu))} (min {_short(min(cpu))})" if of else "–"
        )
    flows = [v.figures[FLOW] for v in visits if FLOW in v.figures]
    parts = [[f.p50 for f in flows], [f.p95 for f in flows], [f.p99 for f in flows]]
    cells.append("/".join(_short(median(p)) for p in parts) if flows else "–")
    cells.append(
        f"{median(v.idle.rss for v in visits):.0f} → {median(v.loaded.rss for v in visits):.0f}"
    )
    beside = median(v.loaded_beside.pss for v in visits)
    cells.append(f"{beside:.0f}" if beside else "–")
    cells.append(f"{median(v.cold_s for v in visits):.2f}")
    return _row(*cells)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
