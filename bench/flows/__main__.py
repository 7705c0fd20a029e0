"""`python -m bench.flows`: measure, print the tables, keep the raw results in artefacts/."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.flows import measure, proc, profile, table
from bench.flows.canaille_peer import Canaille
from bench.flows.contestant import (
    CREDENTIALS,
    FLOW,
    ISSUING,
    OPERATIONS,
    ROOT,
    BenchFailed,
    Contestant,
)
from bench.flows.load import CONCURRENCY
from bench.flows.measure import Effort, Visit
from bench.flows.node_peer import NodePeer
from bench.flows.ours import Fill, Ours

PEOPLE = CONCURRENCY + 1
"""A browser for each connection, and one whose session may be spoilt."""


def peers(_: argparse.Namespace) -> list[Contestant]:
    """Ours beside the others, one worker each."""
    return [
        Ours("sqlite", PEOPLE),
        NodePeer("map", PEOPLE),
        Canaille(PEOPLE),
        Ours("sqlite-normal", PEOPLE, operations=ISSUING),
        NodePeer("sqlite", PEOPLE, ISSUING),
        Ours("postgres", PEOPLE, operations=ISSUING),
        NodePeer("postgres", PEOPLE, ISSUING),
    ]


def workers(_: argparse.Namespace) -> list[Contestant]:
    """Ours with one worker and with two."""
    return [Ours(d, PEOPLE, workers=n) for d in ("sqlite-normal", "postgres") for n in (1, 2)]


def growth(asked: argparse.Namespace) -> list[Contestant]:
    """Ours with few rows, and with many persons and entries, and a client for a thousand."""
    many: int = asked.large
    sizes = (Fill("small", 1_000, 1, 1), Fill("large", many, max(1, many // 1_000), many))
    return [Ours("sqlite-normal", 1_000, fill=fill) for fill in sizes]


def cores(_: argparse.Namespace) -> list[Contestant]:
    """Ours as shipped, kept to one processor, and the same on all."""
    return [
        Ours(database, PEOPLE, processors=processors)
        for database in ("sqlite-normal", "sqlite", "postgres")
        for processors in ("one", "all")
    ]


PARTS: dict[str, tuple[Callable[[argparse.Namespace], list[Contestant]], Sequence[str]]] = {
    "peers": (peers, OPERATIONS),
    "workers": (workers, (FLOW, CREDENTIALS)),
    "growth": (growth, (FLOW,)),
    "cores": (cores, (FLOW,)),
}
"""Who is measured, and on what."""


def main() -> int:
    """Exit status: 0 where nothing failed, whatever the figures."""
    asked = _arguments()
    try:
        if asked.profile:
            print(profile.report(asked.seconds, PEOPLE))
            return 0
        visits = _measure(asked)
    except BenchFailed as error:
        print(f"nothing measured: {error}", file=sys.stderr)
        return 1
    raw = _keep(visits, asked)
    print(f"\n{proc.machine()}; {asked.rounds} rounds\n")
    print(table.figures(visits), table.promises(visits), table.noise(visits), sep="\n\n")
    print(f"\nRaw results: {raw.relative_to(ROOT)}")
    return 0


def _measure(asked: argparse.Namespace) -> Sequence[Visit]:
    make, operations = PARTS[asked.part]
    contestants = make(asked)
    if asked.only:
        contestants = [c for c in contestants if c.name in asked.only.split(",")]
    if asked.operations:
        operations = asked.operations.split(",")
    effort = Effort(operations, asked.seconds, max(1, asked.seconds / 2), asked.warm_up)
    visits: list[Visit] = []
    with _folder(asked.folder) as folder:
        for found in measure.rounds(contestants, folder, asked.rounds, effort):
            visits += found
            for v in sorted(found, key=lambda v: v.contestant):
                said = ", ".join(
                    f"{o} {f.per_second:.0f}/s {f.cpu_us:.0f} µs" for o, f in v.figures.items()
                )
                print(f"round {v.round}: {v.contestant}: {said}", file=sys.stderr, flush=True)
    return visits


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="miftah-bench-") as folder:
        yield Path(folder)


def _keep(visits: Sequence[Visit], asked: argparse.Namespace) -> Path:
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = ROOT / "artefacts" / f"flows-{asked.part}-{at}.json"
    path.parent.mkdir(exist_ok=True)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    about = {
        "at": at,
        "machine": proc.machine(),
        "commit": commit,
        "asked": {k: str(v) for k, v in vars(asked).items()},
    }
    path.write_text(json.dumps(about | {"visits": [v.as_json() for v in visits]}, indent=1))
    return path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.flows", description=__doc__)
    parser.add_argument("--part", choices=PARTS, default="peers")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8, help="of a flow; others half of it")
    parser.add_argument("--warm-up", type=float, default=2, help="seconds before each")
    parser.add_argument("--operations", help="with commas between; the part's own unless said")
    parser.add_argument("--large", type=int, default=1_000_000, help="persons, of growth")
    parser.add_argument("--profile", action="store_true", help="of a flow in ours, and no more")
    parser.add_argument("--folder", type=Path, help="keep databases there, and use those there")
    parser.add_argument("--only", help="names of providers, with commas between")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
