"""The tree of the stored entries: complete subtrees out of tiles, in a few reads."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, LargeBinary, cast, insert, select
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
        whole = self._connection.scalar(
            select(octets(AuditTile.hashes)).where(
                AuditTile.level == level, AuditTile.number == number
            )
        )
        return [] if whole is None else cut(whole)

    def _growing(self, level: int, number: int) -> Sequence[Hash]:
        return growing(self._connection, level, number)


def octets(column: InstrumentedAttribute[bytes]) -> ColumnElement[bytes]:
    """The column as bytes, even where somebody put text into it (SQLite lets them)."""
    return cast(column, LargeBinary).label(column.key)


def cut(hashes: bytes) -> list[Hash]:
    """The single hashes of a tile."""
    return [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]


def growing(connection: Connection, level: int, number: int) -> list[Hash]:
    """The hashes of a tile out of the level below, in order.

    Raises RecordAltered where one is missing between two: the others would slip to its place.
    """
    hashes: InstrumentedAttribute[bytes]
    place: InstrumentedAttribute[int]
    if level == 0:
        hashes, place = AuditEntry.leaf_hash, AuditEntry.idx
        those: tuple[ColumnElement[bool], ...] = ()
    else:
        hashes, place = AuditTile.root, AuditTile.number
        those = (AuditTile.level == level - 1,)
    first = number * WIDTH
    within = (*those, place >= first, place < first + WIDTH)
    query = select(place, octets(hashes)).where(*within).order_by(place)
    rows = connection.execute(query).all()
    if [at for at, _ in rows] != list(range(first, first + len(rows))):
        raise RecordAltered(f"tile {level}/{number} has a hole")
    return [each for _, each in rows]


def complete_tiles(connection: Connection, before: int, size: int) -> None:
    """Keep every tile that was filled when the tree grew from `before` to `size` entries."""
    for filled in range(before - before % WIDTH + WIDTH, size + 1, WIDTH):
        _complete(connection, filled)


def _complete(connection: Connection, size: int) -> None:
    level = 0
    while size and size % WIDTH == 0:
        size //= WIDTH
        hashes = growing(connection, level, size - 1)
        if len(hashes) != WIDTH:
            raise RecordAltered(f"hashes are missing in tile {level}/{size - 1}")
        tile = {"level": level, "number": size - 1, "hashes": b"".join(hashes)}
        connection.execute(insert(AuditTile), {**tile, "root": complete(hashes)})
        level += 1
