"""The tree of the stored entries: complete subtrees out of tiles, in a few reads."""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    and_,
    bindparam,
    cast,
    insert,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from broker.audit.merkle import HASH_SIZE, Hash, complete
from broker.audit.models import AuditEntry, AuditTile
from broker.errors import BrokerError

HEIGHT = 8
WIDTH = 1 << HEIGHT


class RecordAltered(BrokerError):
    """The stored record contradicts itself: somebody changed it beside this program."""

    def __init__(self, hint: str) -> None:
        super().__init__("record_altered", hint)


class StoredNodes:
    """Complete subtrees of the stored tree (`merkle.Nodes`); every tile is read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tiles: dict[tuple[int, int], Sequence[Hash]] = {}

    def __call__(self, height: int, position: int) -> Hash:
        """The hash of one complete subtree. Raises RecordAltered where hashes are missing."""
        level, above = divmod(height, HEIGHT)
        first = position << above
        number, place = divmod(first, WIDTH)
        hashes = self.tile(level, number)[place : place + (1 << above)]
        if len(hashes) != 1 << above:
            raise RecordAltered(f"hashes are missing in tile {level}/{number}")
        return complete(hashes)

    def tile(self, level: int, number: int) -> Sequence[Hash]:
        """The hashes of a tile so far, at most 256."""
        if (level, number) not in self._tiles:
            self._tiles[level, number] = self._full(level, number) or self._growing(level, number)
        return self._tiles[level, number]

    def _full(self, level: int, number: int) -> Sequence[Hash]:
        whole = self._connection.scalar(_FULL, {"height": level, "place": number})
        return [] if whole is None else cut(whole)

    def _growing(self, level: int, number: int) -> Sequence[Hash]:
        return growing(self._connection, level, number)


def octets(column: InstrumentedAttribute[bytes]) -> ColumnElement[bytes]:
    """The column as bytes, even where somebody put text into it (SQLite lets them)."""
    return cast(column, LargeBinary).label(column.key)


def _between(place: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return and_(
        place >= bindparam("first", type_=BigInteger), place < bindparam("end", type_=BigInteger)
    )


# Made once: making a statement anew costs more than the database takes for it.
_KEEP = insert(AuditTile)
_FULL = select(octets(AuditTile.hashes)).where(
    AuditTile.level == bindparam("height"), AuditTile.number == bindparam("place")
)
_ENTRIES = (
    select(AuditEntry.idx, octets(AuditEntry.leaf_hash))
    .where(_between(AuditEntry.idx))
    .order_by(AuditEntry.idx)
)
_TILES = (
    select(AuditTile.number, octets(AuditTile.root))
    .where(AuditTile.level == bindparam("below"), _between(AuditTile.number))
    .order_by(AuditTile.number)
)


def cut(hashes: bytes) -> list[Hash]:
    """The single hashes of a tile."""
    return [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]


def growing(connection: Connection, level: int, number: int) -> list[Hash]:
    """The hashes of a tile out of the level below, in order.

    Raises RecordAltered where one is missing between two: the others would slip to its place.
    """
    first = number * WIDTH
    within = {"first": first, "end": first + WIDTH}
    if level == 0:
        rows = connection.execute(_ENTRIES, within).all()
    else:
        rows = connection.execute(_TILES, {**within, "below": level - 1}).all()
    if [at for at, _ in rows] != list(range(first, first + len(rows))):
        raise RecordAltered(f"tile {level}/{number} has a hole")
    return [each for _, each in rows]


def complete_tiles(connection: Connection, before: int, hashes: Sequence[Hash]) -> None:
    """Keep every tile that was filled when these leaf hashes followed `before` entries.

    Raises RecordAltered where one is missing of those before them.
    """
    size = before + len(hashes)
    start = before - before % WIDTH
    if size - start < WIDTH:
        return
    level0 = [*growing(connection, 0, start // WIDTH)[: before - start], *hashes]
    for filled in range(start + WIDTH, size + 1, WIDTH):
        _keep(connection, 0, filled // WIDTH - 1, level0[filled - WIDTH - start : filled - start])
        _complete_above(connection, filled)


def _complete_above(connection: Connection, size: int) -> None:
    level, size = 1, size // WIDTH
    while size and size % WIDTH == 0:
        size //= WIDTH
        _keep(connection, level, size - 1, growing(connection, level, size - 1))
        level += 1


def _keep(connection: Connection, level: int, number: int, hashes: Sequence[Hash]) -> None:
    if len(hashes) != WIDTH:
        raise RecordAltered(f"hashes are missing in tile {level}/{number}")
    tile = {"level": level, "number": number, "hashes": b"".join(hashes)}
    connection.execute(_KEEP, {**tile, "root": complete(hashes)})
