"""How fast the record is.

python bench/record.py [ENTRIES] [--peer PYTHON]

Fills a record of ENTRIES (1,000,000) in a temporary folder and measures
  record      one entry staged in an open transaction: what it adds to a token's issuance
  sequence    256 staged entries given their places, with tile and checkpoint, a transaction
  append      one entry, its place and a signed checkpoint over it, all in one transaction
  inclusion   a proof of a random entry by a new connection, nothing cached by us
  consistency the same between two random sizes
  verify      one proof checked by `miftah_verify`
  fsck        the broker's own check of every row
  mirror      the published files, and the auditor's check of all of them
PYTHON is the interpreter of another environment with pymerkle, measured beside us.
Prints wall and processor time: on a busy machine only the second says something about us, and
it is what the promises are held against. Exit 1 where one is broken.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402
from sqlalchemy import insert  # noqa: E402

from broker import clock, db, entropy, keyring  # noqa: E402
from broker.audit import (  # noqa: E402
    checkpoint,
    fsck,
    mark,
    merkle,
    origin,
    proving,
    sequencer,
    tiles,
)
from broker.audit.entry import compose, project, read_leaf  # noqa: E402
from broker.audit.log import record  # noqa: E402
from broker.audit.models import AuditEntry  # noqa: E402
from broker.audit.tree import StoredNodes, complete_tiles  # noqa: E402
from broker.identity.assurance import SHIPPED, read_policy  # noqa: E402
from broker.settings import Settings  # noqa: E402
from broker.web.tools import Tools  # noqa: E402
from miftah_verify.directory import verify_directory  # noqa: E402
from miftah_verify.files import Folder  # noqa: E402
from miftah_verify.note import parse_key  # noqa: E402
from miftah_verify.policy import simple  # noqa: E402
from miftah_verify.proof import verify_proof  # noqa: E402

PROMISED = {
    "record": 0.5,
    "sequence": 100.0,
    "append": 25.0,
    "inclusion": 10.0,
    "consistency": 10.0,
    "verify": 1.0,
}
"""p95, milliseconds."""
FSCK_S = 30.0
PLACED = 256
RECORDED = 20 * PLACED
FACTS = {"client": "damancom", "acr": "official-phr", "policy": "2026-11-23.2", "scope": ["openid"]}


class Took(NamedTuple):
    """Seconds on the wall, seconds of the processor."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        """Both, for people."""
        return f"{self.wall:.1f} s ({self.cpu:.1f} s of the processor)"


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("entries", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--peer", help="python of an environment with pymerkle")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        held = measure(Path(folder), asked.entries)
        if asked.peer:
            peer = Path(__file__).with_name("record_peer.py")
            subprocess.run([asked.peer, str(peer), folder, str(asked.entries)], check=True)
    return 0 if held else 1


def measure(folder: Path, entries: int) -> bool:
    app, chance, found = house(folder), Random(1), []  # noqa: S311  picks places
    with app.app_context():
        print(f"fill {entries} entries: {once(lambda: fill(entries))}")
        found.append(tell("record", recordings()))
        found.append(tell("sequence", series(RECORDED // PLACED, sequence)))
        found.append(tell("append", series(200, append)))
        with db.transaction() as tx:
            signed = checkpoint.latest(tx, clock.utcnow())
        size = origin.opened(signed).size
        db.db.engine.dispose()
        found.append(
            tell("inclusion", series(200, lambda: cold(prove, chance.randrange(size), size)))
        )
        found.append(
            tell("consistency", series(200, lambda: cold(step, chance.randrange(1, size), size)))
        )
        found.append(tell("verify", verifications(chance, signed, size)))
        with db.reading() as tx:
            report: list[fsck.Report] = []
            key = checkpoint.log_key()
            took = once(lambda: report.append(fsck.check(tx.connection(), key, mark.read())))
            print(f"fsck {took}, faults: {len(report[0].faults)}")
            found.append(took.cpu < FSCK_S * max(1, entries / 1_000_000) and not report[0].faults)
            out = folder / "mirror"
            took = once(lambda: tiles.publish(tx.connection(), out, signed, size))
            print(f"publish {took}")
        policy = simple(parse_key(str(key)))
        source = Folder(out)
        print(f"mirror verified in {once(lambda: verify_directory(source.read, policy))}")
        db.db.session.remove()
        db.db.engine.dispose()
    return all(found)


def house(folder: Path) -> Flask:
    url = f"sqlite:///{folder}/record.sqlite3"
    keyring.init(folder / "keys", clock.utcnow())
    keys = keyring.load(folder / "keys")
    app = Flask("bench")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    settings = Settings(issuer="https://bench.test", database_url=url)
    app.extensions["broker"] = Tools(
        settings, clock.utcnow, entropy.system, lambda: keys, read_policy(SHIPPED)
    )
    db.install(app)
    with app.app_context():
        db.db.create_all()
    return app


def fill(entries: int) -> None:
    """Entries as `record` writes them, many a statement."""
    for start in range(0, entries, 256 * 16):
        with db.transaction() as tx:
            for first in range(start, min(start + 256 * 16, entries), 256):
                last = min(first + 256, entries)
                rows = [row(n) for n in range(first, last)]
                tx.connection().execute(insert(AuditEntry), rows)
                complete_tiles(tx.connection(), first, [each["leaf_hash"] for each in rows])


def row(index: int) -> dict[str, Any]:
    now = clock.utcnow()
    nonce = entropy.token(entropy.system, bits=128)
    leaf = compose("code.issued", {**FACTS, "n": index}, now, nonce)
    told = project(read_leaf(leaf))
    latest[0] = max(latest[0], told.time)
    hashed = {"leaf": leaf, "leaf_hash": merkle.leaf_hash(leaf)}
    return {"idx": index, **hashed, **told._asdict(), "latest": latest[0]}


latest = [""]


def recordings() -> list[Took]:
    with db.transaction() as tx:
        return series(RECORDED, lambda: record(tx, "code.issued", FACTS, clock.utcnow()))


def sequence() -> None:
    with db.transaction() as tx:
        sequencer.sequence(tx, clock.utcnow(), PLACED)


def append() -> None:
    with db.transaction() as tx:
        record(tx, "code.issued", FACTS, clock.utcnow())
        checkpoint.latest(tx, clock.utcnow())


def cold(ask: Callable[[StoredNodes, int, int], object], one: int, size: int) -> None:
    db.db.engine.dispose()
    with db.reading() as tx:
        ask(StoredNodes(tx.connection()), one, size)


def prove(nodes: StoredNodes, index: int, size: int) -> tuple[bytes, ...]:
    return merkle.inclusion_proof(nodes, index, size)


def step(nodes: StoredNodes, old: int, size: int) -> tuple[bytes, ...]:
    return merkle.consistency_proof(nodes, old, size)


def verifications(chance: Random, signed: str, size: int) -> list[Took]:
    policy = simple(parse_key(str(checkpoint.log_key())))
    index = chance.randrange(size)
    with db.reading() as tx:
        leaf = tx.get(AuditEntry, index).leaf  # type: ignore[union-attr]
        path = prove(StoredNodes(tx.connection()), index, size)
    text = proving.proof_file(index, path, signed)
    return series(500, lambda: verify_proof(text, leaf, policy))


def once(work: Callable[[], object]) -> Took:
    begun, used = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - begun, time.process_time() - used)


def series(times: int, work: Callable[[], object]) -> list[Took]:
    return [once(work) for _ in range(times)]


def tell(name: str, found: list[Took]) -> bool:
    for kind in Took._fields:
        each = sorted(getattr(took, kind) * 1000 for took in found)
        p95 = each[int(len(each) * 0.95)]
        print(f"{name:12} {kind:4} median {statistics.median(each):8.3f}  p95 {p95:8.3f} ms")
    return p95 < PROMISED[name]


if __name__ == "__main__":
    sys.exit(main())
