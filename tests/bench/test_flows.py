"""The bench measures what it says: real flows of real people, none of which fails."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import pytest

from bench.flows import load, measure, proc, profile, relying, table
from bench.flows.contestant import CREDENTIALS, FLOW, INTROSPECTION, ROOT, BenchFailed, Own, Served
from bench.flows.load import Figures
from bench.flows.measure import Effort, Visit
from bench.flows.ours import Fill, Ours
from bench.flows.proc import Memory

pytestmark = pytest.mark.slow

OURS = Ours("sqlite-normal", people=12, fill=Fill("small", persons=20, clients=2, entries=30))
OPERATIONS = (FLOW, CREDENTIALS, INTROSPECTION, "discovery")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def visit(folder: Path) -> Visit:
    [[found]] = measure.rounds([OURS], folder, 1, Effort(OPERATIONS, 2, 1, 0))
    return found


@pytest.fixture(scope="module")
def served(folder: Path, visit: Visit) -> Iterator[Served]:
    with OURS.serve(folder / OURS.name) as found:
        yield found


def test_a_round_of_ours_fails_nowhere_and_says_what_it_cost(visit: Visit) -> None:
    assert tuple(visit.figures) == OPERATIONS
    assert [f.failed for f in visit.figures.values()] == [0, 0, 0, 0]
    assert all(f.done > 0 and f.cpu_us > 0 and f.p50 <= f.p99 for f in visit.figures.values())
    assert visit.loaded.rss >= visit.loaded.pss > 0
    assert OURS.name in table.figures([visit])


def test_who_was_filled_in_has_evidence_that_opens(served: Served) -> None:
    done = relying.flow(served, served.cookies[0], "openid profile")
    assert relying.userinfo(served, done)["family_name"] == "ESSAI"


def test_one_failed_operation_ends_the_bench(served: Served, folder: Path) -> None:
    strangers = replace(served, cookies=["miftah_session=nobody's"] * 9)
    with pytest.raises(BenchFailed, match="step 1: 303"):
        load.run(strangers, FLOW, folder, 2, 0)
    with pytest.raises(BenchFailed, match="invalid_client"):
        load.run(replace(served, own={CREDENTIALS: Own("bench", "?")}), CREDENTIALS, folder, 2, 0)


def test_a_provider_is_refused_that_does_not_do_what_is_relied_on(served: Served) -> None:
    other = {**served.metadata, "issuer": "https://somebody.example"}
    with pytest.raises(BenchFailed, match="iss"):
        relying.verify(replace(served, metadata=other))


def test_the_time_of_a_process_that_ended_is_its_parents() -> None:
    burn = "sum(range(30_000_000))"
    code = (
        f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', '{burn}']); print()"
    )
    code += "; sys.stdout.flush(); time.sleep(30)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        spent = proc.cpu_us([parent.pid])
        parent.kill()
    assert spent > 200_000


def figures(cpu_us: float) -> Figures:
    return Figures(FLOW, 100, 0, 1e6 / cpu_us, cpu_us, 1.0, 2.0, 3.0, 0.1, 0.0)


def visits(name: str, *cpu_us: float) -> list[Visit]:
    none = Memory(1, 1)
    return [
        Visit(name, number, 0.3, none, none, none, none, {FLOW: figures(us)})
        for number, us in enumerate(cpu_us)
    ]


def test_a_ratio_is_the_median_of_pairs_of_the_same_round() -> None:
    of = [*visits("ours-sqlite-normal", 100, 200, 300), *visits("node-sqlite", 200, 200, 900)]
    line = "ours-sqlite-normal ÷ node-sqlite | 2.00 (1.00–3.00) | 1.80 | 4.00 | yes |"
    assert line in table.promises(of)


def test_a_promise_that_is_broken_is_shown_as_such() -> None:
    of = [*visits("ours-sqlite-normal", 200), *visits("node-sqlite", 200)]
    assert "| 1.00 (1.00–1.00) | 1.80 | 4.00 | **no** |" in table.promises(of)


def test_what_grows_may_grow_so_far_and_no_further() -> None:
    small, large = "ours-sqlite-normal-small", "ours-sqlite-normal-large"
    of = [*visits(small, 100), *visits(large, 126)]
    assert "| 1.26 (1.26–1.26) | 1.25 | 1.10 | **no** |" in table.promises(of)


class Call(NamedTuple):
    code: CodeType
    totaltime: float
    inlinetime: float = 0
    calls: Sequence["Call"] | None = None


def test_the_time_of_a_library_is_that_of_the_rooms_that_called_it() -> None:
    room, other, library = (
        compile("0", str(ROOT / path), "exec")
        for path in ("broker/oidc/a.py", "broker/audit/a.py", "site-packages/sqlalchemy/orm/a.py")
    )
    shares = profile.found(
        [
            [Call(room, 4, 1, [Call(library, 3)]), Call(other, 2, 1, [Call(library, 1)])],
            [Call(library, 4, 4)],
        ]
    )
    assert shares["rooms"] == {"broker.oidc": 4, "broker.audit": 2}
    assert shares["libraries"] == {"broker.oidc": 1, "broker.audit": 1, "sqlalchemy.orm": 4}
