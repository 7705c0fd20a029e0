"""The auditor's API (openapi.yaml): proofs, checkpoints and tiles; every read is recorded."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from broker.audit import checkpoint, merkle, query, store
from broker.audit.door import ASK_AGAIN, FOR_EVER, Read, reading_record, tagged
from broker.audit.note import decode, encode, open_checkpoint
from broker.audit.tree import StoredNodes
from broker.errors import Malformed, NotFound

pages = Blueprint("proofs", __name__)


@pages.get("/entries/<index>/proof")
def proof(index: str) -> Response:
    """The path from one entry to the root of a signed checkpoint."""
    with reading_record() as read:
        query.single(request.args.items(multi=True))
        found = store.entry(read.tx, query.parse_index(index), read.sight)
        proved = _proof(read, found)
        read.note("proof", index=found["index"])
    return tagged(jsonify(proved), ASK_AGAIN)


@pages.get("/checkpoint")
def head() -> Response:
    """The newest signed checkpoint, at most a minute old."""
    with reading_record() as read:
        query.single(request.args.items(multi=True))
        signed = checkpoint.recent(read.tx, read.now)
        read.note("checkpoint")
    return tagged(Response(signed, mimetype="text/plain"), ASK_AGAIN)


@pages.get("/consistency")
def consistency() -> Response:
    """What shows that the tree of `from` entries is the beginning of that of `to` entries."""
    with reading_record() as read:
        old, new = query.parse_sizes(request.args.items(multi=True))
        if new > checkpoint.covered(read.tx):
            raise Malformed("malformed", "to: more entries than the newest checkpoint covers")
        path = merkle.consistency_proof(StoredNodes(read.tx.connection()), old, new)
        read.note("consistency", **{"from": old, "to": new})
    return tagged(jsonify({"from": old, "to": new, "path": [encode(h) for h in path]}), FOR_EVER)


@pages.get("/tile/<path:path>")
def tile(path: str) -> Response:
    """A tile of the tree or a bundle of entries (C2SP tlog-tiles)."""
    with reading_record() as read:
        query.single(request.args.items(multi=True))
        wanted = query.parse_tile(path)
        if wanted.needs > checkpoint.covered(read.tx):
            raise NotFound("not_found")
        content = store.tile(read.tx, wanted)
        read.note("tile", tile=path)
    return tagged(Response(content, mimetype="application/octet-stream"), FOR_EVER)


def _proof(read: Read, found: dict[str, Any]) -> dict[str, Any]:
    index = found["index"]
    signed = checkpoint.recent(read.tx, read.now, covering=index + 1)
    head = open_checkpoint(signed, checkpoint.log_key())
    path = store.inclusion_proof(read.tx, decode(found["leaf_hash"]), index, head)
    return {
        "index": index,
        "size": head.size,
        "leaf_hash": found["leaf_hash"],
        "path": [encode(step) for step in path],
        "checkpoint": signed,
    }
