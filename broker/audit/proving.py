"""Proof files (C2SP tlog-proof) of stored entries."""

from collections.abc import Sequence

from broker.audit.note import encode

VERSION = "c2sp.org/tlog-proof@v1"


def proof_file(index: int, path: Sequence[bytes], signed: str) -> str:
    """The text of a `.tlog-proof`: the path of the entry, and the checkpoint it leads to.

    `signed` is a checkpoint as `checkpoint.recent` gives it, cosignatures included.
    """
    return "\n".join((VERSION, f"index {index}", *map(encode, path))) + "\n\n" + signed
