"""Roots, inclusion and consistency over RFC 6962 §2.1 hashes, verification only."""

import hashlib
from collections.abc import Sequence

from miftah_verify.refused import Refused

EMPTY = hashlib.sha256(b"").digest()
SIZE = 32


def leaf(entry: bytes) -> bytes:
    """The leaf hash of an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def pair(left: bytes, right: bytes) -> bytes:
    """The hash over two neighbours."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring hashes of one height, as many as there are."""
    row = list(hashes)
    if not row:
        return EMPTY
    while len(row) > 1:
        odd = row[-1:] if len(row) % 2 else []
        row = [pair(row[n], row[n + 1]) for n in range(0, len(row) - 1, 2)] + odd
    return row[0]


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], head: bytes
) -> None:
    """Return if the path leads from the leaf at `index` to the root of `size` entries.

    Raises Refused.
    """
    if not 0 <= index < size:
        raise Refused("the index is outside the tree", index)
    below = (index ^ (size - 1)).bit_length()
    above = (index >> below).bit_count()
    if len(path) != below + above:
        raise Refused("the path has another length than the tree asks for", index)
    _check(path, leaf_hash, head)
    found = leaf_hash
    for height, step in enumerate(path[:below]):
        found = pair(step, found) if index >> height & 1 else pair(found, step)
    for step in path[below:]:
        found = pair(step, found)
    if found != head:
        raise Refused("the path leads to another root", index)


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_head: bytes, new_head: bytes
) -> None:
    """Return if the tree of `new` entries begins with the tree of `old` ones. Raises Refused."""
    if not 0 <= old <= new:
        raise Refused("the newer tree is smaller than the older one")
    _check(path, old_head, new_head)
    if old in {0, new}:
        if path:
            raise Refused("a proof where none is needed")
        if old == new and old_head != new_head:
            raise Refused("one size, two roots")
        if old == 0 and old_head != EMPTY:
            raise Refused("no entries, yet a root")
        return
    _verify_step(old, new, list(path), old_head, new_head)


def _verify_step(old: int, new: int, path: list[bytes], old_head: bytes, new_head: bytes) -> None:
    # From the largest complete subtree that ends where the old tree ends, as RFC 6962 has it.
    shared = (old & -old).bit_length() - 1
    below = (old - 1 ^ new - 1).bit_length() - shared
    above = (old - 1 >> below + shared).bit_count()
    if old & (old - 1) == 0:
        path = [old_head, *path]
    if len(path) != 1 + below + above:
        raise Refused("the proof has another length than the trees ask for")
    was = now = path[0]
    place = old - 1 >> shared
    for height, step in enumerate(path[1 : 1 + below]):
        if place >> height & 1:
            was, now = pair(step, was), pair(step, now)
        else:
            now = pair(now, step)
    for step in path[1 + below :]:
        was, now = pair(step, was), pair(step, now)
    if was != old_head:
        raise Refused("the proof does not begin at the older root")
    if now != new_head:
        raise Refused("the proof does not lead to the newer root")


def _check(path: Sequence[bytes], *heads: bytes) -> None:
    if any(len(each) != SIZE for each in (*path, *heads)):
        raise Refused("a hash has 32 bytes")
