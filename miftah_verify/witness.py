"""A witness (C2SP tlog-witness): cosigns a head that is consistent with the one before.

It remembers one head for each log in one SQLite file, and never goes back.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from miftah_verify.merkle import EMPTY, verify_consistency
from miftah_verify.note import (
    COSIGNATURE,
    Key,
    cosigned_message,
    decimal,
    holds,
    open_checkpoint,
    parse_head,
    parse_note,
    signature_line,
)
from miftah_verify.proof import LONGEST, hashes
from miftah_verify.refused import Refused

REQUEST_LIMIT = 1024 * 1024
_TABLE = """CREATE TABLE IF NOT EXISTS seen
    (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL)"""


@dataclass(frozen=True)
class Answer:
    """What HTTP says: a status, a body, its media type."""

    status: int
    body: str = ""
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class _Asked:
    old: int
    path: tuple[bytes, ...]
    note: str


class Witness:
    """`logs` are the keys of each log it watches, by origin; `state` is its memory."""

    def __init__(
        self, name: str, key: Ed25519PrivateKey, logs: Mapping[str, Sequence[Key]], state: Path
    ) -> None:
        self._signing = key
        self._logs = logs
        self._state = state
        self.key = Key(name, COSIGNATURE, key.public_key().public_bytes_raw())
        with self._memory() as memory:
            memory.execute(_TABLE)

    def add_checkpoint(self, body: bytes, now: int) -> Answer:
        """The cosignature line, or why not; `now` in seconds since 1970. Never raises."""
        try:
            asked = _parse(body)
            origin, _, _ = parse_head(parse_note(asked.note).text)
        except Refused as error:
            return Answer(400, f"{error}\n")
        keys = self._logs.get(origin)
        if keys is None:
            return Answer(404, "this witness does not watch that log\n")
        signer = next((key for key in keys if _signed(asked.note, key)), None)
        if signer is None:
            return Answer(403, "not signed by a key of that log\n")
        head = open_checkpoint(asked.note, signer, origin=origin)
        if asked.old > head.size:
            return Answer(400, "old is larger than the checkpoint\n")
        with self._memory() as memory:
            return self._advance(memory, asked, head.origin, head.size, head.root, now)

    def seen(self, origin: str) -> str | None:
        """The newest checkpoint of that log that was cosigned, as its log signed it."""
        with self._memory() as memory:
            row = memory.execute("SELECT note FROM seen WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else str(row[0])

    def _advance(  # noqa: PLR0913  one step, whole
        self,
        memory: sqlite3.Connection,
        asked: _Asked,
        origin: str,
        size: int,
        root: bytes,
        now: int,
    ) -> Answer:
        query = "SELECT size, root FROM seen WHERE origin = ?"
        last, held = memory.execute(query, (origin,)).fetchone() or (0, EMPTY)
        conflict = Answer(409, f"{last}\n", "text/x.tlog.size")
        if asked.old != last or (size == last and root != held):
            return conflict
        try:
            verify_consistency(last, size, asked.path, held, root)
        except Refused as error:
            return Answer(422, f"{error}\n")
        memory.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)",
                       (origin, size, root, asked.note))  # fmt: skip
        # Remembered first: what is not on the disk must not have been said.
        memory.commit()
        return Answer(200, self._cosign(asked.note, now))

    def _cosign(self, note: str, now: int) -> str:
        raw = self._signing.sign(cosigned_message(parse_note(note).text, now))
        return signature_line(self.key, now.to_bytes(8, "big") + raw)

    @contextmanager
    def _memory(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._state, isolation_level=None, timeout=10)) as memory:
            memory.execute("PRAGMA synchronous=FULL")
            memory.execute("BEGIN IMMEDIATE")
            try:
                yield memory
            finally:
                if memory.in_transaction:
                    memory.commit()


def _signed(note: str, key: Key) -> bool:
    try:
        return holds(parse_note(note), key) is not None
    except Refused:
        return False


def _parse(body: bytes) -> _Asked:
    if len(body) > REQUEST_LIMIT:
        raise Refused("a request too long")
    try:
        top, blank, note = body.decode().partition("\n\n")
    except UnicodeError:
        raise Refused("not UTF-8") from None
    first, *lines = top.split("\n")
    if not blank or not first.startswith("old ") or len(lines) > LONGEST:
        raise Refused("not a request to cosign: old, proof, checkpoint")
    return _Asked(decimal(first.removeprefix("old ")), hashes(lines), note)
