"""A whole published log (C2SP tlog-tiles): every entry, every tile, the signed root."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from miftah_verify.merkle import SIZE, leaf, root
from miftah_verify.note import Checkpoint
from miftah_verify.policy import Policy
from miftah_verify.refused import Refused

HEIGHT, WIDTH = 8, 256
_HIGHEST = 63
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])"
    r"/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)

Read = Callable[[str], bytes | None]
"""(path below the log's prefix) → the file, None where there is none."""

ENTRIES = -1
"""The level of entry bundles."""


@dataclass(frozen=True)
class Report:
    """A log that holds: its signed head, and below which index entries are no longer shown."""

    head: Checkpoint
    first_shown: int


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """The path of a tile, or of an entry bundle where `level` is ENTRIES."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[n : n + 3] for n in range(0, len(digits), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    whole = f"tile/{'entries' if level == ENTRIES else level}/{name}"
    return whole if width == WIDTH else f"{whole}.p/{width}"


def parse_tile_path(path: str) -> tuple[int, int, int]:
    """Level, number and width that a path names, in its one spelling. Raises Refused."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise Refused("not the path of a tile")
    level = ENTRIES if found["level"] == "entries" else int(found["level"])
    number = int(found["number"].replace("x", "").replace("/", ""))
    width = int(found["width"] or WIDTH)
    if tile_path(level, number, width) != path:
        raise Refused("not the one spelling of the path of a tile")
    return level, number, width


def split_bundle(bundle: bytes, start: int = 0) -> Iterator[bytes]:
    """The entries of a bundle, of which the first has index `start`. Raises Refused."""
    at, index = 0, start
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        entry = bundle[at + 2 : at + 2 + length]
        if at + 2 > len(bundle) or len(entry) != length:
            raise Refused("a bundle ends in the middle of an entry", index)
        yield entry
        at, index = at + 2 + length, index + 1


def verify_directory(
    read: Read,
    policy: Policy,
    *,
    names: Collection[str] = (),
    minimum: int = 0,
    earlier: Read | None = None,
) -> Report:
    """The log's head, every entry and tile below it being what was signed.

    `names` are the files that are there: they help to find where a cut tail begins. Entries
    below `minimum` may be missing (pruning); their hashes may not. `earlier` is a copy of the
    log kept from before: this one must continue it, and where it does not, the place is found
    to the entry, even where everything was computed and signed anew. Raises Refused with the
    first bad index, or with the range in which it lies.
    """
    signed = read("checkpoint")
    if signed is None:
        raise Refused("there is no checkpoint")
    head = policy.open(signed)
    if minimum > head.size:
        raise Refused("more is pruned than there ever was")
    log = _Log(read, head.size, frozenset(names), minimum - minimum % WIDTH)
    leaves = log.leaves()
    log.tiles(leaves)
    if earlier is not None:
        _continue(leaves, earlier, policy)
    if root(leaves) != head.root:
        what = "the entries have another root than the one that was signed"
        raise Refused(what, 0, max(head.size - 1, 0))
    return Report(head, log.pruned)


def _continue(leaves: list[bytes], earlier: Read, policy: Policy) -> None:
    """Raises Refused where the earlier copy is not the beginning of these leaf hashes."""
    place = _parting(leaves, earlier)
    if place is not None:
        raise Refused("the entry is not the one in the earlier copy", place)
    signed = earlier("checkpoint")
    if signed is not None and policy.open(signed).size > len(leaves):
        raise Refused("entries that the earlier copy has are missing", len(leaves))


def _parting(leaves: list[bytes], earlier: Read) -> int | None:
    """The first index at which an earlier copy has another entry."""
    for number in range(-(-len(leaves) // WIDTH)):
        held = leaves[number * WIDTH : (number + 1) * WIDTH]
        kept = _widest(earlier, 0, number, len(held))
        for at, (now, was) in enumerate(zip(held, _cut(kept), strict=False)):
            if now != was:
                return number * WIDTH + at
    return None


def _widest(read: Read, level: int, number: int, width: int) -> bytes:
    for each in range(WIDTH, 0, -1):
        if (found := read(tile_path(level, number, each))) is not None:
            return found[: width * SIZE]
    return b""


@dataclass
class _Log:
    read: Read
    size: int
    names: frozenset[str]
    pruned: int

    def leaves(self) -> list[bytes]:
        """The leaf hash of every entry, out of the bundles; of pruned ones, out of the tiles."""
        found: list[bytes] = []
        for number, width in _tiles(self.size):
            start = number * WIDTH
            bundle = self._tile(ENTRIES, number, width, start)
            tile = _cut(self._tile(0, number, width, start) or b"")[:width]
            if bundle is None:
                found += _of_width(tile, width, start)
                continue
            hashes = self._hashes(bundle, width, start)
            for at, each in enumerate(hashes):
                if tile[at : at + 1] != [each]:
                    raise Refused("the entry is not the one in the tile", start + at)
            found += _of_width(hashes, width, start)
        return found

    def tiles(self, row: list[bytes]) -> None:
        """Hold every tile above the first level against what lies below it."""
        level, span = 0, 1
        while len(row) >= WIDTH and level < _HIGHEST:
            row = [root(row[n : n + WIDTH]) for n in range(0, len(row) - WIDTH + 1, WIDTH)]
            level, span = level + 1, span * WIDTH
            for number, width in _tiles(len(row)):
                self._above(level, number, row[number * WIDTH :][:width], span)

    def _above(self, level: int, number: int, wanted: list[bytes], span: int) -> None:
        start = number * WIDTH * span
        held = _cut(self._tile(level, number, len(wanted), start) or b"")
        for at, each in enumerate(wanted):
            if held[at : at + 1] != [each]:
                place = start + at * span
                what = f"{tile_path(level, number, len(wanted))} holds another hash"
                raise Refused(what, place, place + span - 1)

    def _hashes(self, bundle: bytes, width: int, start: int) -> list[bytes]:
        hashes: list[bytes] = []
        for entry in split_bundle(bundle, start):
            hashes.append(leaf(entry))
            if len(hashes) > WIDTH:
                raise Refused("a bundle of more than 256 entries", start + WIDTH)
        return hashes[:width] if len(hashes) == WIDTH else hashes

    def _tile(self, level: int, number: int, width: int, start: int) -> bytes | None:
        """The tile, or the full one that took its place; None for a bundle that is pruned."""
        for each in (width, WIDTH):
            if (found := self.read(tile_path(level, number, each))) is not None:
                return found
        if level == ENTRIES and start + width <= self.pruned:
            return None
        path = tile_path(level, number, width)
        shorter = [w for w in range(1, width) if tile_path(level, number, w) in self.names]
        reach = max(shorter, default=0) << HEIGHT * max(level, 0)
        raise Refused(f"{path} is missing", start + reach)


def _tiles(count: int) -> Iterator[tuple[int, int]]:
    """Number and width of the tiles that so many hashes fill."""
    for number in range(count // WIDTH):
        yield number, WIDTH
    if count % WIDTH:
        yield count // WIDTH, count % WIDTH


def _cut(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + SIZE] for at in range(0, len(hashes), SIZE)]


def _of_width(hashes: list[bytes], width: int, start: int) -> list[bytes]:
    if len(hashes) < width:
        raise Refused("entries are missing", start + len(hashes))
    if len(hashes) > width:
        raise Refused("there is more than was signed", start + width)
    if any(len(each) != SIZE for each in hashes):
        raise Refused("a tile ends in the middle of a hash", start)
    return hashes
