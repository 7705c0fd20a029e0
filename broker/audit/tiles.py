"""The log as static files (C2SP tlog-tiles): to be served and cached for ever by anybody."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, func, select

from broker.audit.models import AuditEntry, AuditPruning
from broker.audit.tree import HEIGHT, WIDTH, RecordAltered, StoredNodes, octets

Made = Callable[[], bytes]


def tile_path(level: int | None, number: int, width: int = WIDTH) -> str:
    """The path of a tile below the log's prefix; of an entry bundle where `level` is None."""
    thousands, rest = [], number
    while rest >= 1000:  # noqa: PLR2004  three digits an element
        rest, last = divmod(rest, 1000)
        thousands.append(f"{last:03d}")
    elements = [f"{rest:03d}", *reversed(thousands)]
    place = "/".join([*(f"x{element}" for element in elements[:-1]), elements[-1]])
    whole = f"tile/{'entries' if level is None else level}/{place}"
    return whole if width == WIDTH else f"{whole}.p/{width}"


def minimum_index(connection: Connection) -> int:
    """Below which index entries may be missing (C2SP tlog-tiles, pruning)."""
    return connection.scalar(select(func.max(AuditPruning.minimum))) or 0


def files(connection: Connection, size: int) -> Iterator[tuple[str, Made]]:
    """Every file of the tree of `size` entries but the checkpoint: its path, and how to make it.

    Making it raises RecordAltered where stored hashes or entries are missing.
    """
    nodes, minimum = StoredNodes(connection), minimum_index(connection)
    for number, width in _tiles(size):
        if number * WIDTH + width > minimum:
            yield tile_path(None, number, width), _bundle(connection, number, width)
    level, count = 0, size
    while count:
        for number, width in _tiles(count):
            yield tile_path(level, number, width), _hashes(nodes, level, number, width)
        level, count = level + 1, count >> HEIGHT


def publish(connection: Connection, folder: Path, signed: str, size: int) -> int:
    """Write what is not yet there, the checkpoint last; how many files were written.

    Whoever reads meanwhile never meets a checkpoint whose tiles are missing.
    """
    written = 0
    for name, make in files(connection, size):
        if not (folder / name).exists():
            _write(folder / name, make())
            written += 1
    _write(folder / "checkpoint", signed.encode())
    return written


def bundle(connection: Connection, number: int, width: int) -> bytes:
    """Entries one after another, each after its length in two bytes. Raises RecordAltered."""
    first = number * WIDTH
    leaves = connection.scalars(
        select(octets(AuditEntry.leaf))
        .where(AuditEntry.idx >= first, AuditEntry.idx < first + width)
        .order_by(AuditEntry.idx)
    ).all()
    if len(leaves) != width:
        raise RecordAltered(f"entries are missing among {first} to {first + width - 1}")
    return b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in leaves)


def _bundle(connection: Connection, number: int, width: int) -> Made:
    return lambda: bundle(connection, number, width)


def _hashes(nodes: StoredNodes, level: int, number: int, width: int) -> Made:
    def made() -> bytes:
        hashes = nodes.tile(level, number)[:width]
        if len(hashes) != width:
            raise RecordAltered(f"hashes are missing in tile {level}/{number}")
        return b"".join(hashes)

    return made


def _tiles(count: int) -> Iterator[tuple[int, int]]:
    for number in range(count // WIDTH):
        yield number, WIDTH
    if count % WIDTH:
        yield count // WIDTH, count % WIDTH


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)
