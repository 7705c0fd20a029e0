"""Proof files (C2SP tlog-proof) and the step from one checkpoint to a later one."""

from collections.abc import Sequence
from dataclasses import dataclass

from miftah_verify.merkle import leaf, verify_consistency, verify_inclusion
from miftah_verify.note import Checkpoint, decimal, decode
from miftah_verify.policy import Policy
from miftah_verify.refused import Refused

VERSION = "c2sp.org/tlog-proof@v1"
LONGEST = 63
"""Hashes of any path: no tree is higher."""
_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Proof:
    """What a proof file says; nothing of it is proved yet."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None


@dataclass(frozen=True)
class Proved:
    """The entry stands at this index in the tree of this checkpoint."""

    index: int
    head: Checkpoint


def parse_proof(unverified: str | bytes) -> Proof:
    """The parts of a proof file. Raises Refused."""
    if len(unverified) > _LIMIT:
        raise Refused("a proof too long")
    try:
        text = unverified if isinstance(unverified, str) else unverified.decode()
    except UnicodeError:
        raise Refused("not UTF-8") from None
    top, blank, checkpoint = text.partition("\n\n")
    version, *lines = top.split("\n")
    if version != VERSION or not blank:
        raise Refused("not a tlog-proof of version 1")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise Refused("a proof without an index")
    index = decimal(lines.pop(0).removeprefix("index "))
    return Proof(index, hashes(lines), checkpoint, extra)


def verify_proof(unverified: str | bytes, entry: bytes, policy: Policy) -> Proved:
    """Where the entry stands, and in which tree. Raises Refused."""
    proof = parse_proof(unverified)
    head = policy.open(proof.checkpoint)
    verify_inclusion(leaf(entry), proof.index, head.size, proof.path, head.root)
    return Proved(proof.index, head)


def verify_step(
    old: str | bytes, new: str | bytes, path: Sequence[str], policy: Policy
) -> tuple[Checkpoint, Checkpoint]:
    """Both checkpoints, the older one's tree being the beginning of the newer one's.

    `path` is base64, hash by hash. Raises Refused.
    """
    before, after = policy.open(old), policy.open(new)
    if before.origin != after.origin:
        raise Refused("checkpoints of two logs")
    verify_consistency(before.size, after.size, hashes(path), before.root, after.root)
    return before, after


def hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """The hashes that these lines are. Raises Refused."""
    if len(lines) > LONGEST:
        raise Refused("a path higher than any tree")
    return tuple(decode(line) for line in lines)
