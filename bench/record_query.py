"""How long a page of assertions takes out of a record of a million entries.

python bench/record_query.py [ENTRIES] [ROUNDS] [FOLDER]

Fills a database in a temporary folder, or in FOLDER, where the next run finds it; asks every kind
of question ROUNDS times with other values each, and prints the median and the 95th percentile of
the wall and of the processor, in milliseconds. Exit 1 where a page promised below 50 ms is slower
in processor time.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402
from sqlalchemy import insert, select  # noqa: E402

from broker import clock, db, entropy, keyring  # noqa: E402
from broker.audit.entry import compose, project, read_leaf, to_text  # noqa: E402
from broker.audit.merkle import leaf_hash  # noqa: E402
from broker.audit.models import AuditEntry, AuditSubject  # noqa: E402
from broker.audit.shown import PROJECTED  # noqa: E402
from broker.desk import assertions  # noqa: E402
from broker.desk.assertion_query import parse_assertions  # noqa: E402
from broker.identity.assurance import SHIPPED, read_policy  # noqa: E402
from broker.settings import Settings  # noqa: E402
from broker.web.tools import Tools  # noqa: E402

PROMISED_MS = 50.0
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
CLIENTS = [f"client-{n}" for n in range(40)]
LEVELS = ["contact", "basic", "verified-otp", "verified-phr", "official-phr"]
KINDS = ["mrz_photo", "chip_pa_only", "eidas_substantial", "qualified_cert"]
WEIGHTS = [60, 25, 10, 4, 1]
BATCH = 10_000


def rows(count: int, draw: Random) -> Iterator[tuple[dict[str, object], dict[str, object] | None]]:
    """Entries as a year of use makes them: two of three are assertions, one of fifty refused."""
    latest = ""
    for index in range(count):
        late = timedelta(seconds=30) if index % 97 == 0 else timedelta()
        at = BEGAN + timedelta(seconds=31 * index) - late
        client = draw.choices(CLIENTS, [2 ** -(n / 4) for n in range(40)])[0]
        facts: dict[str, object] = {"client": client, "grant": f"grant-{index // 3}"}
        event = "session.ended"
        if index % 50 == 0:
            event, facts["reason"] = (
                "code.refused",
                draw.choice(["access_denied", "login_required"]),
            )
        elif index % 3:
            event = "token.issued"
            facts |= {
                "account": "x" * 43,
                "acr": draw.choices(LEVELS, WEIGHTS)[0],
                "kind": draw.choices(KINDS, [90, 7, 2, 1])[0],
                "evidence": f"evidence-{index % 50_000}",
                "policy": "2026-11-23.2",
                "scope": ["openid", "profile"],
            }
        leaf = compose(event, facts, at, f"{index:022d}")
        told = project(read_leaf(leaf))
        latest = max(latest, told.time)
        columns = {c.key: value for c, value in zip(PROJECTED, told, strict=True)}
        entry = {"idx": index, "leaf": leaf, "leaf_hash": leaf_hash(leaf), "latest": latest}
        subject = None
        if event == "token.issued":
            whose = f"subject-{index % 60_000}"
            subject = {"idx": index, "account_id": whose, "salt": bytes(32), "subject": whose}
        yield {**entry, **columns}, subject


def fill(count: int) -> None:
    """Write `count` entries, a batch at a time."""
    draw, entries, subjects = Random(7), [], []  # noqa: S311  the same record every time
    for entry, subject in rows(count, draw):
        entries.append(entry)
        if subject:
            subjects.append(subject)
        if len(entries) == BATCH or entry["idx"] == count - 1:
            with db.transaction() as tx:
                tx.execute(insert(AuditEntry), entries)
                tx.execute(insert(AuditSubject), subjects)
            entries, subjects = [], []


def questions(count: int, draw: Random) -> dict[str, Callable[[], dict[str, str]]]:
    """What an auditor asks, each with values of its own at every call."""

    def span(**width: float) -> dict[str, str]:
        begin = BEGAN + timedelta(seconds=31 * draw.randrange(count))
        return {"from": to_text(begin), "to": to_text(begin + timedelta(**width))}

    def client() -> dict[str, str]:
        return {"client": draw.choice(CLIENTS)}

    return {
        "the first page": dict,
        "deep in the list": lambda: {"min_index": str(draw.randrange(count))},
        "client": client,
        "level": lambda: {"level": draw.choice(LEVELS)},
        "kind": lambda: {"kind": draw.choice(KINDS)},
        "refused": lambda: {"outcome": "refused"},
        "reason": lambda: {"reason": "login_required"},
        "subject": lambda: {"subject": f"subject-{draw.randrange(60_000)}"},
        "evidence": lambda: {"evidence": f"evidence-{draw.randrange(50_000)}"},
        "an hour": lambda: span(hours=1),
        "a month": lambda: span(days=30),
        "client, a day": lambda: client() | span(days=1),
        "client, level": lambda: client() | {"level": draw.choice(LEVELS)},
        "client, kind, refused": lambda: client() | {"outcome": "refused"},
        "level, a month": lambda: {"level": draw.choice(LEVELS)} | span(days=30),
        "nobody's": lambda: {"client": "nobody", "level": "basic"},
    }


def application(folder: str) -> Flask:
    """A broker with its database in `folder`."""
    url = f"sqlite:///{folder}/record.sqlite3"
    app = Flask("broker")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.extensions["broker"] = Tools(
        settings=Settings(database_url=url),
        clock=clock.utcnow,
        random=entropy.system,
        keys=lambda: keyring.Keyring((), None, b"", b"", b""),  # type: ignore[arg-type]
        policy=read_policy(SHIPPED),
    )
    db.install(app)
    return app


def main(count: int, rounds: int, folder: str) -> int:
    """Exit status: 0 where every page kept the promise."""
    slow = []
    with application(folder).app_context():
        db.db.create_all()
        with db.reading() as tx:
            is_empty = tx.scalar(select(AuditEntry.idx).limit(1)) is None
        began = time.perf_counter()
        if is_empty:
            fill(count)
        print(f"{count} entries, filled in {time.perf_counter() - began:.0f} s\n")
        print(f"{'question':24}{'p50':>8}{'p95':>8}{'cpu p50':>9}{'cpu p95':>9}  ms")
        for name, ask in questions(count, Random(11)).items():  # noqa: S311
            walls, cpus = [], []
            for _ in range(rounds):
                wanted = parse_assertions({**ask(), "limit": "50"}.items())
                wall, cpu = time.perf_counter(), time.process_time()
                with db.reading() as tx:
                    assertions.find(tx, wanted, None, None)
                walls.append(1000 * (time.perf_counter() - wall))
                cpus.append(1000 * (time.process_time() - cpu))
            w95, c95 = (quantiles(each, n=20)[18] for each in (walls, cpus))
            print(f"{name:24}{median(walls):8.1f}{w95:8.1f}{median(cpus):9.1f}{c95:9.1f}")
            if c95 > PROMISED_MS:
                slow.append(name)
        db.db.session.remove()
        db.db.engine.dispose()
    print("\nslower than promised: " + ", ".join(slow) if slow else "\nevery page kept the promise")
    return 1 if slow else 0


if __name__ == "__main__":
    said = [int(text) for text in sys.argv[1:3]]
    counts = said + [1_000_000, 60][len(said) :]
    with tempfile.TemporaryDirectory() as passing:
        sys.exit(main(*counts, sys.argv[3] if len(sys.argv) > 3 else passing))
