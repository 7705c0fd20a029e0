"""What an entry costs on its way into the record, in microseconds of the processor.

python bench/sequencing.py [ENTRIES] [--database sqlite|postgres]

A flow's two entries, as a code and its tokens leave them, over and over, ENTRIES (20,000) of them
for each line: made (`record` less the statement), staged (the statement), and given their places
in batches of so many, with all that PostgreSQL's own processes use for it. SQLite is in WAL with
`synchronous=NORMAL`. Last, what one look at an empty table costs.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402

from bench.flows import postgres, proc  # noqa: E402
from broker import clock, db, entropy, keyring  # noqa: E402
from broker.app import FEATURES  # noqa: E402
from broker.audit import log, sequencer, worker  # noqa: E402
from broker.identity.assurance import SHIPPED, read_policy  # noqa: E402
from broker.settings import Settings  # noqa: E402
from broker.web.tools import Tools  # noqa: E402

BATCHES = (8, 64, 256, 1024, 4096)
PEOPLE, FLOWS_A_TRANSACTION, LOOKS = 5_000, 50, 300
KNOWN = [tuple(entropy.token(entropy.system) for _ in range(3)) for _ in range(PEOPLE)]
"""Account, subject and evidence of each person."""


class Cost(NamedTuple):
    """Microseconds of the processor an entry: ours, and those of the database's processes."""

    ours: float
    theirs: float

    def __str__(self) -> str:
        """As in the table."""
        return f"{self.ours:8.1f}{self.theirs:8.1f}{self.ours + self.theirs:8.1f}"


def flow(number: int) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Event and facts of a code, then of the tokens for it."""
    account, subject, evidence = KNOWN[number * 7919 % PEOPLE]
    known: dict[str, object] = {
        "account": account,
        "subject": subject,
        "client": f"service-{number % 40}",
    }
    grant = {"grant": entropy.token(entropy.system), "acr": "official-phr"}
    yield "code.issued", known | grant
    graded: dict[str, object] = {
        "token": "5f" * 32,
        "scope": ["openid", "profile", "assurance"],
        "amr": ["hwk", "user", "mfa"],
        "identity": "official",
        "authenticator": "phr",
        "policy": "2026-11-23.2",
        "because": "official",
        "evidence": evidence,
        "kind": "eidas_high",
    }
    yield "token.issued", known | grant | graded


def main() -> int:
    """Exit status."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("entries", type=int, nargs="?", default=20_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"])
    asked = parser.parse_args()
    for name in [asked.database] if asked.database else ["sqlite", "postgres"]:
        with (
            tempfile.TemporaryDirectory(dir="/var/tmp") as folder,
            house(name, Path(folder)) as pid,
        ):
            print(f"{name}\n{'':24}{'ours':>8}{'theirs':>8}{'both':>8}  µs")
            for what, cost in measure(asked.entries, pid):
                print(f"{what:24}{cost}", flush=True)
            db.db.session.remove()
            db.db.engine.dispose()
    return 0


def measure(entries: int, pid: int | None) -> Iterator[tuple[str, Cost]]:
    def cost(work: Callable[[], object], count: int) -> Cost:
        theirs = proc.cpu_us([pid]) if pid else 0
        used = time.process_time()
        work()
        ours = time.process_time() - used
        theirs = (proc.cpu_us([pid]) if pid else 0) - theirs
        return Cost(ours * 1e6 / count, theirs / count)

    stage(100)
    place(256)
    staged = cost(lambda: stage(entries), entries)
    place(4096)
    usual = log._STAGE  # noqa: SLF001
    log._STAGE = _Nowhere()  # type: ignore[assignment]  # noqa: SLF001
    made = cost(lambda: stage(entries), entries)
    log._STAGE = usual  # noqa: SLF001
    yield "made", made
    yield "staged", Cost(staged.ours - made.ours, staged.theirs)
    for most in BATCHES:
        count = min(entries, 500 * most)
        stage(count)
        yield f"placed, batches of {most}", cost(partial(place, most), count)
    yield "a look", cost(lambda: [worker.sequence_next() for _ in range(LOOKS)], LOOKS)


class _Nowhere:
    def first(self, *_: object, **__: object) -> bool:
        """As if it were staged."""
        return True


def stage(entries: int) -> None:
    for first in range(0, entries // 2, FLOWS_A_TRANSACTION):
        with db.transaction() as tx:
            for number in range(first, min(first + FLOWS_A_TRANSACTION, entries // 2)):
                for event, facts in flow(number):
                    log.record(tx, event, facts, clock.utcnow())


def place(most: int) -> None:
    more = True
    while more:
        with db.transaction() as tx:
            more = sequencer.sequence(tx, clock.utcnow(), most) == most


@contextmanager
def house(database: str, folder: Path) -> Iterator[int | None]:
    """A broker with an empty record; the process of its database server, if it has one."""
    keyring.init(folder / "keys", clock.utcnow())
    keys = keyring.load(folder / "keys")
    if database == "sqlite":
        with application(f"sqlite:///{folder}/record.sqlite3", keys).app_context():
            db.db.create_all()
            yield None
        return
    folder.chmod(0o755)
    postgres.make(folder, "broker")
    with (
        postgres.running(folder) as pid,
        application(postgres.url(folder, "broker"), keys).app_context(),
    ):
        db.db.create_all()
        yield pid


def application(url: str, keys: keyring.Keyring) -> Flask:
    app = Flask("broker")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    settings = Settings(issuer="https://bench.test", database_url=url)
    chance, policy = entropy.system, read_policy(SHIPPED)
    app.extensions["broker"] = Tools(
        settings, clock.utcnow, chance, lambda: keys, policy, features=FEATURES
    )
    db.install(app, "NORMAL")
    return app


if __name__ == "__main__":
    sys.exit(main())
