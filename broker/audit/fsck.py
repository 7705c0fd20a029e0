"""Does the stored record agree with itself? Every leaf, column, tile, link and checkpoint."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from broker.audit import merkle, note
from broker.audit.entry import project, read_leaf
from broker.audit.log import subject_digest
from broker.audit.models import (
    AuditCheckpoint,
    AuditEntry,
    AuditPruning,
    AuditSubject,
    AuditSuccession,
    AuditTile,
)
from broker.audit.shown import PROJECTED, as_stored
from broker.audit.tree import WIDTH, cut, octets

_BATCH = 1000
JITTER = timedelta(minutes=1)
"""So far may the times of two workers be apart."""

_Row = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What does not agree, and the entries among which it lies: `first` <= index <= `last`."""

    first: int
    last: int
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of the whole record found."""

    entries: int
    checkpoints: int
    faults: tuple[Fault, ...]
    remarks: tuple[Fault, ...] = ()
    """What an auditor should ask about, although everything agrees."""

    @property
    def first_bad(self) -> int | None:
        """The first index at fault, or None: as near as the stored hashes can tell."""
        exact = [f.first for f in self.faults if f.first == f.last]
        ranges = [f for f in self.faults if f.first != f.last]
        vague = [f.first for f in ranges if not any(f.first <= e <= f.last for e in exact)]
        return min((*exact, *vague), default=None)


def check(
    connection: Connection, key: note.VerifierKey, high: note.Checkpoint | None = None
) -> Report:
    """What a check of every row found; one pass over the entries, in constant memory.

    `high` is the high-water mark: a checkpoint that is known to have been signed.
    """
    checkpoints = list(connection.execute(select(*_CHECKPOINT).order_by(AuditCheckpoint.size)))
    stored = connection.execute(select(AuditTile.level, AuditTile.number))
    tiles = {(level, number) for level, number in stored}
    names = frozenset(connection.scalars(select(AuditSuccession.origin)))
    minimum = connection.scalar(select(func.max(AuditPruning.minimum))) or 0
    walk = _Walk(connection, key, {c.size: c for c in checkpoints}, names, minimum, high)
    walk.head()
    for row in _rows(connection):
        walk.entry(row)
    walk.end(tiles)
    return Report(walk.tree.size, len(checkpoints), tuple(sorted(walk.faults)), tuple(walk.remarks))


_CHECKPOINT = (AuditCheckpoint.size, octets(AuditCheckpoint.root), AuditCheckpoint.note)
_ENTRY = (
    AuditEntry.idx,
    octets(AuditEntry.leaf),
    octets(AuditEntry.leaf_hash),
    *PROJECTED,
    AuditEntry.latest,
    AuditSubject.account_id,
    AuditSubject.subject,
    octets(AuditSubject.salt),
)


def _rows(connection: Connection) -> Iterator[_Row]:
    query = select(*_ENTRY).outerjoin(AuditSubject, AuditSubject.idx == AuditEntry.idx)
    options = {"yield_per": _BATCH}
    return iter(connection.execute(query.order_by(AuditEntry.idx), execution_options=options))


@dataclass(slots=True)
class _Walk:
    """The tree as the leaves make it, held against everything that was stored about it."""

    connection: Connection
    key: note.VerifierKey
    checkpoints: dict[int, _Row]
    closed: frozenset[str] = frozenset()
    minimum: int = 0
    high: note.Checkpoint | None = None
    tree: merkle.Frontier = field(default_factory=merkle.Frontier)
    faults: list[Fault] = field(default_factory=list)
    growing: list[list[bytes]] = field(default_factory=lambda: [[]])
    kept: set[tuple[int, int]] = field(default_factory=set)
    signed: int = 0
    parted: bool = False
    pruned: list[bytes] = field(default_factory=list)
    latest: str = ""
    remarks: list[Fault] = field(default_factory=list)

    def entry(self, row: _Row) -> None:
        while self.tree.size < row.idx:
            self._append(self._missing(self.tree.size))
        leaf_hash = merkle.leaf_hash(row.leaf)
        if leaf_hash != row.leaf_hash:
            self._fault(row.idx, "the entry is not the one that was hashed")
        self._columns(row)
        self._append(leaf_hash)

    def _missing(self, index: int) -> bytes:
        """The hash that stands in for an entry which is not there: its own, if it was pruned."""
        if index < self.minimum:
            number, place = divmod(index, WIDTH)
            if place == 0 or not self.pruned:
                stored = select(octets(AuditTile.hashes)).where(
                    AuditTile.level == 0, AuditTile.number == number
                )
                self.pruned = cut(self.connection.scalar(stored) or b"")
            if place < len(self.pruned):
                return self.pruned[place]
        self._fault(index, "the entry is missing")
        return b"\x00" * merkle.HASH_SIZE

    def end(self, tiles: set[tuple[int, int]]) -> None:
        while self.tree.size < self.minimum:
            self._append(self._missing(self.tree.size))
        size = self.tree.size
        if self.high is not None and self.high.size > size:
            self._fault(size, "entries that the mark covers are missing: a restored backup?")
        if any(signed > size for signed in self.checkpoints):
            self._fault(size, "entries that a checkpoint covers are missing")
        for level, number in sorted(tiles - self.kept):
            self._fault(size, f"the entries of tile {level}/{number} are missing")

    def head(self) -> None:
        """Hold the tree so far against the checkpoint of its size, if there is one."""
        row = self.checkpoints.get(self.tree.size)
        if self.high is not None and self.tree.size == self.high.size:
            self._mark(row)
        if row is None:
            return
        first, last = self.signed, max(self.tree.size - 1, self.signed)
        name = row.note.partition("\n")[0]
        key = replace(self.key, name=name) if name in self.closed else self.key
        try:
            unlike = note.open_checkpoint(row.note, key) != note.Checkpoint(
                key.name, row.size, row.root
            )
        except note.NoteRejected as error:
            self._fault(last, f"checkpoint {row.size}: {error}")
            return
        if unlike:
            self._fault(last, f"checkpoint {row.size} is not what was signed")
        elif row.root == self.tree.root():
            self.signed = row.size
        elif not self.parted:  # every later one differs too
            self.parted = True
            self.faults.append(Fault(first, last, f"checkpoint {row.size} has another root"))

    def _mark(self, row: _Row | None) -> None:
        """Hold the tree so far against the mark, which somebody else cannot have changed."""
        if self.high is None:
            return
        last = max(self.high.size - 1, 0)
        if self.tree.root() != self.high.root:
            what = f"the mark of {self.high.size} entries has another root"
            self.faults.append(Fault(self.signed, last, what))
        elif row is None:
            self._fault(last, f"checkpoint {self.high.size}, the mark, is missing")

    def _columns(self, row: _Row) -> None:
        stored = as_stored(row)
        try:
            entry = read_leaf(row.leaf)
            unlike = project(entry) != stored
        except ValueError:
            self._fault(row.idx, "the entry cannot be read")
            return
        if unlike:
            self._fault(row.idx, "the index columns say something else than the entry")
        if row.idx == self.minimum and self.minimum:
            self.latest = row.latest  # those before it were pruned
        if entry["time"] < self.latest:
            self._late(row.idx, entry["time"])
        self.latest = max(self.latest, entry["time"])
        if row.latest != self.latest:
            self._fault(row.idx, "the latest time is not that of the entries so far")
        self._link(row, entry["facts"])

    def _late(self, index: int, time: str) -> None:
        """An entry of before the one before it: workers may be seconds apart, clocks not hours."""
        back = datetime.fromisoformat(self.latest) - datetime.fromisoformat(time)
        if back > JITTER:
            self.remarks.append(Fault(index, index, f"the clock was set back by {back}"))

    def _link(self, row: _Row, facts: dict[str, Any]) -> None:
        if row.salt is None:
            return
        if subject_digest(row.salt, row.account_id) != facts.get("account"):
            self._fault(row.idx, "the entry is linked to an account that it is not about")
        subject = row.subject and subject_digest(row.salt, row.subject)
        if subject != facts.get("subject_digest"):
            self._fault(row.idx, "the entry is linked to a subject that it is not about")

    def _append(self, leaf_hash: bytes) -> None:
        self.tree.append(leaf_hash)
        self.growing[0].append(leaf_hash)
        level = 0
        while len(self.growing[level]) == WIDTH:
            root = self._tile(level, self.growing[level])
            self.growing[level] = []
            level += 1
            if level == len(self.growing):
                self.growing.append([])
            self.growing[level].append(root)
        self.head()

    def _tile(self, level: int, hashes: list[bytes]) -> bytes:
        """The root of the tile that has just been filled."""
        number = self.tree.size // WIDTH ** (level + 1) - 1
        root = merkle.complete(hashes)
        stored = self.connection.execute(
            select(octets(AuditTile.hashes), octets(AuditTile.root)).where(
                AuditTile.level == level, AuditTile.number == number
            )
        ).first()
        self.kept.add((level, number))
        span = WIDTH**level
        first = number * WIDTH * span
        if stored is None:
            self._whole_tile(first, level, number, "is missing")
            return root
        held = cut(stored.hashes)
        wrong = [at for at in range(WIDTH) if held[at : at + 1] != hashes[at : at + 1]]
        for at in wrong:
            place = first + at * span
            what = f"tile {level}/{number} holds another hash"
            self.faults.append(Fault(place, place + span - 1, what))
        own = merkle.complete(held) if wrong and len(held) == WIDTH else root
        if len(held) != WIDTH or stored.root != own:
            self._whole_tile(first, level, number, "has another length or root")
        return root

    def _whole_tile(self, first: int, level: int, number: int, what: str) -> None:
        self.faults.append(Fault(first, self.tree.size - 1, f"tile {level}/{number} {what}"))

    def _fault(self, index: int, what: str) -> None:
        self.faults.append(Fault(index, index, what))
