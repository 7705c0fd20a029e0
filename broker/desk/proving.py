"""The proof of one entry, as the API and the desk give it."""

from typing import Any

from broker.audit import checkpoint, proving, store
from broker.audit.note import decode, encode
from broker.audit.origin import opened
from broker.desk.door import Visit


def proof(here: Visit, found: dict[str, Any]) -> dict[str, Any]:
    """The path from an entry, as `store.entry` shows it, to the root of a signed checkpoint."""
    index = found["index"]
    signed = checkpoint.recent(here.tx, here.now, covering=index + 1)
    head = opened(signed)
    path = store.inclusion_proof(here.tx, decode(found["leaf_hash"]), index, head)
    return {
        "index": index,
        "size": head.size,
        "leaf_hash": found["leaf_hash"],
        "path": [encode(step) for step in path],
        "checkpoint": signed,
    }


def alone(proved: dict[str, Any]) -> str:
    """The proof as a file that stands alone (C2SP tlog-proof)."""
    path = [decode(step) for step in proved["path"]]
    return proving.proof_file(proved["index"], path, proved["checkpoint"])
