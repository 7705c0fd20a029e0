"""The auditor's API (openapi.yaml): read the record, with every read recorded in it."""

import hashlib
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.orm import Session

from broker.audit import checkpoint, merkle, query, store
from broker.audit.access import READ, require_scope
from broker.audit.log import record
from broker.audit.note import decode, encode, open_checkpoint
from broker.audit.tree import StoredNodes
from broker.db import transaction
from broker.errors import Malformed, NotFound
from broker.web.tools import Caller, tools

pages = Blueprint("audit", __name__, url_prefix="/api/audit")

FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"


@pages.get("/entries")
def entries() -> Response:
    """A page of entries, oldest first."""
    now = tools().clock()
    with transaction() as tx:
        caller = require_scope(tx, READ, now)
        wanted = query.parse_entries(request.args.items(multi=True))
        found, following = store.entries(tx, wanted)
        facts = {"what": "entries", "filter": wanted.facts(), "count": len(found)}
        _record_read(tx, caller, facts, now)
    return jsonify(entries=found, next=following)


@pages.get("/entries/<index>")
def entry(index: str) -> Response:
    """One entry: read, and as its exact bytes."""
    now = tools().clock()
    with transaction() as tx:
        caller = require_scope(tx, READ, now)
        query.single(request.args.items(multi=True))
        found = store.entry(tx, query.parse_index(index))
        _record_read(tx, caller, {"what": "entry", "index": found["index"]}, now)
    return _tagged(jsonify(found), FOR_EVER)


@pages.get("/entries/<index>/proof")
def proof(index: str) -> Response:
    """The path from one entry to the root of a signed checkpoint."""
    now = tools().clock()
    with transaction() as tx:
        caller = require_scope(tx, READ, now)
        query.single(request.args.items(multi=True))
        found = store.entry(tx, query.parse_index(index))
        proved = _proof(tx, found, now)
        _record_read(tx, caller, {"what": "proof", "index": found["index"]}, now)
    return _tagged(jsonify(proved), ASK_AGAIN)


@pages.get("/checkpoint")
def head() -> Response:
    """The newest signed checkpoint, at most a minute old."""
    now = tools().clock()
    with transaction() as tx:
        caller = require_scope(tx, READ, now)
        query.single(request.args.items(multi=True))
        signed = checkpoint.recent(tx, now)
        _record_read(tx, caller, {"what": "checkpoint"}, now)
    return _tagged(Response(signed, mimetype="text/plain"), ASK_AGAIN)


@pages.get("/consistency")
def consistency() -> Response:
    """What shows that the tree of `from` entries is the beginning of that of `to` entries."""
    now = tools().clock()
    with transaction() as tx:
        caller = require_scope(tx, READ, now)
        old, new = query.parse_sizes(request.args.items(multi=True))
        if new > checkpoint.covered(tx):
            raise Malformed("malformed", "to: more entries than the newest checkpoint covers")
        path = merkle.consistency_proof(StoredNodes(tx.connection()), old, new)
        _record_read(tx, caller, {"what": "consistency", "from": old, "to": new}, now)
    return _tagged(jsonify({"from": old, "to": new, "path": [encode(h) for h in path]}), FOR_EVER)


@pages.get("/tile/<path:path>")
def tile(path: str) -> Response:
    """A tile of the tree or a bundle of entries (C2SP tlog-tiles)."""
    now = tools().clock()
    with transaction() as tx:
        caller = require_scope(tx, READ, now)
        query.single(request.args.items(multi=True))
        wanted = query.parse_tile(path)
        if wanted.needs > checkpoint.covered(tx):
            raise NotFound("not_found")
        content = store.tile(tx, wanted)
        _record_read(tx, caller, {"what": "tile", "tile": path}, now)
    return _tagged(Response(content, mimetype="application/octet-stream"), FOR_EVER)


def _proof(tx: Session, found: dict[str, Any], now: datetime) -> dict[str, Any]:
    index = found["index"]
    signed = checkpoint.recent(tx, now, covering=index + 1)
    head = open_checkpoint(signed, checkpoint.log_key())
    path = store.inclusion_proof(tx, decode(found["leaf_hash"]), index, head)
    return {
        "index": index,
        "size": head.size,
        "leaf_hash": found["leaf_hash"],
        "path": [encode(step) for step in path],
        "checkpoint": signed,
    }


def _record_read(tx: Session, caller: Caller, facts: dict[str, Any], now: datetime) -> None:
    record(tx, "auditor.read", {"client": caller.client_id, **facts}, now)


def _tagged(response: Response, caching: str) -> Response:
    """The answer with a strong ETag over its content; 304 to those who have it."""
    response.headers["Cache-Control"] = caching
    response.headers["Vary"] = "Authorization"
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    return response.make_conditional(request.environ)  # type: ignore[return-value]  # itself
