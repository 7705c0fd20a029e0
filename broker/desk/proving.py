"""The proof of one entry, as the API and the desk give it."""

from typing import Any

from broker.audit import checkpoint, store
from broker.audit.note import decode, encode, open_checkpoint
from broker.desk.door import Visit


def proof(here: Visit, found: dict[str, Any]) -> dict[str, Any]:
    """The path from an entry, as `store.entry` shows it, to the root of a signed checkpoint."""
    index = found["index"]
    signed = checkpoint.recent(here.tx, here.now, covering=index + 1)
    head = open_checkpoint(signed, checkpoint.log_key())
    path = store.inclusion_proof(here.tx, decode(found["leaf_hash"]), index, head)
    return {
        "index": index,
        "size": head.size,
        "leaf_hash": found["leaf_hash"],
        "path": [encode(step) for step in path],
        "checkpoint": signed,
    }
