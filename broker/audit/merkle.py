"""The Merkle tree of RFC 9162 §2.1 (RFC 6962 hashing): roots, proofs, and their verification.

Everything is computed from complete subtrees, asked for one by one, so that a log which keeps
them answers in a few reads however many entries it has.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest

Hash = bytes
"""32 bytes of SHA-256."""

Nodes = Callable[[int, int], Hash]
"""(height, position) → hash of the complete subtree over the 2**height entries from
position × 2**height on."""

HASH_SIZE = 32
EMPTY = sha256().digest()
"""The root of no entries."""


class ProofRejected(Exception):
    """The proof does not lead from what it is about to the root."""


def leaf_hash(entry: bytes) -> Hash:
    """MTH({d}) = SHA-256(0x00 || d)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """SHA-256(0x01 || left || right). The prefixes keep a node from posing as a leaf."""
    return sha256(b"\x01" + left + right).digest()


def nodes_over(leaves: Sequence[Hash]) -> Nodes:
    """The complete subtrees over leaf hashes held in memory."""

    def node(height: int, position: int) -> Hash:
        return complete(leaves[position << height : (position + 1) << height])

    return node


def complete(hashes: Sequence[Hash]) -> Hash:
    """The root over a power of two of neighbouring hashes of one height."""
    if not hashes or len(hashes) & (len(hashes) - 1):
        raise ValueError(f"{len(hashes)} is no power of two")
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [node_hash(left, right) for left, right in pairs]
    return hashes[0]


class Frontier:
    """A growing tree, of which only the complete subtrees on its right edge are kept."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[Hash] = []

    def append(self, leaf: Hash) -> None:
        """Take one more leaf hash."""
        place, found = self.size, leaf
        while place & 1:
            found, place = node_hash(self._edge.pop(), found), place >> 1
        self._edge.append(found)
        self.size += 1

    def root(self) -> Hash:
        """The head over all leaf hashes taken so far."""
        if not self._edge:
            return EMPTY
        *left, found = self._edge
        for step in reversed(left):
            found = node_hash(step, found)
        return found


def root(nodes: Nodes, size: int) -> Hash:
    """The head of the first `size` entries (§2.1.1)."""
    return _over(nodes, 0, size) if size else EMPTY


def inclusion_proof(nodes: Nodes, index: int, size: int) -> tuple[Hash, ...]:
    """The path from entry `index` to the root of the first `size` entries (§2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no entry {index} among {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_over(nodes, middle, end))
            end = middle
        else:
            path.append(_over(nodes, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_proof(nodes: Nodes, old: int, new: int) -> tuple[Hash, ...]:
    """What shows that the first `old` of `new` entries were not touched (§2.1.4.1)."""
    if not 0 <= old <= new:
        raise ValueError(f"{old} entries are not the beginning of {new}")
    if old in {0, new}:
        return ()
    path, start, end = [], 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_over(nodes, middle, end))
            end = middle
        else:
            path.append(_over(nodes, start, middle))
            start = middle
    if start:  # else it is the old root itself, which the verifier has
        path.append(_over(nodes, start, end))
    return tuple(reversed(path))


def verify_inclusion(leaf: Hash, index: int, size: int, path: Sequence[Hash], head: Hash) -> None:
    """Return if `path` leads from leaf hash `leaf` at `index` to `head` (§2.1.3.2).

    Raises ProofRejected.
    """
    if not 0 <= index < size:
        raise ProofRejected(f"no entry {index} among {size}")
    _check_hashes(path, head, leaf)
    found, place, last = leaf, index, size - 1
    for step in path:
        if last == 0:
            raise ProofRejected("the path is too long")
        if place & 1 or place == last:
            found = node_hash(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRejected("the path is too short")
    if not compare_digest(found, head):
        raise ProofRejected("the path leads to another root")


def verify_consistency(
    old: int, new: int, path: Sequence[Hash], old_head: Hash, new_head: Hash
) -> None:
    """Return if the tree of `new` entries begins with that of `old` ones (§2.1.4.2).

    Raises ProofRejected. Nothing precedes every tree: from size 0 the path is empty.
    """
    if not 0 <= old <= new:
        raise ProofRejected(f"{old} entries are not the beginning of {new}")
    _check_hashes(path, old_head, new_head)
    if old in {0, new}:
        if path:
            raise ProofRejected("the path is too long")
        if old == new and not compare_digest(old_head, new_head):
            raise ProofRejected("one size, two roots")
        if old == 0 and old_head != EMPTY:
            raise ProofRejected("no entries, yet a root")
        return
    if _heads_over(old, new, path, old_head) != (old_head, new_head):
        raise ProofRejected("the path leads to another root")


def _heads_over(old: int, new: int, path: Sequence[Hash], old_head: Hash) -> tuple[Hash, Hash]:
    """Both heads as the path has them."""
    steps = [old_head, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        raise ProofRejected("the path is too short")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_found = new_found = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofRejected("the path is too long")
        if place & 1 or place == last:
            old_found, new_found = node_hash(step, old_found), node_hash(step, new_found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new_found = node_hash(new_found, step)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRejected("the path is too short")
    return old_found, new_found


def _check_hashes(path: Sequence[Hash], *heads: Hash) -> None:
    if any(len(each) != HASH_SIZE for each in (*path, *heads)):
        raise ProofRejected("a hash has 32 bytes")


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1


def _over(nodes: Nodes, start: int, end: int) -> Hash:
    count = end - start
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return nodes(height, start >> height)
    middle = start + _split(count)
    return node_hash(_over(nodes, start, middle), _over(nodes, middle, end))
