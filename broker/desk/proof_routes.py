"""The auditors' API (openapi.yaml): proofs, checkpoints and tiles; every read is recorded."""

from flask import Blueprint, Response, request

from broker.audit import checkpoint, merkle, query, store
from broker.audit.note import decode, encode
from broker.audit.tree import StoredNodes
from broker.desk import scope
from broker.desk.door import ASK_AGAIN, FOR_EVER, visit
from broker.desk.proving import alone, proof
from broker.desk.sight import within
from broker.errors import Malformed, NotAllowed, NotFound

pages = Blueprint("proofs", __name__)


@pages.get("/entries/<index>/proof")
def entry_proof(index: str) -> Response:
    """The path from one entry to the root of a signed checkpoint."""
    with visit(scope.PROOF) as here:
        found = store.entry(here.tx, query.parse_index(index), *within(here.sight))
        return here.told(proof(here, found), "proof", index=found["index"])


@pages.get("/entries/<index>/leaf")
def leaf(index: str) -> Response:
    """The exact bytes of one entry, as `miftah-verify proof` reads them."""
    with visit(scope.PROOF) as here:
        here.reader.need(scope.READ)
        found = store.entry(here.tx, query.parse_index(index), *within(here.sight))
        content, kind = decode(found["leaf"]), "application/octet-stream"
        return here.given(content, kind, "leaf", FOR_EVER, index=found["index"])


@pages.get("/entries/<index>/tlog-proof")
def proof_file(index: str) -> Response:
    """The same proof as a file that stands alone (C2SP tlog-proof)."""
    with visit(scope.PROOF) as here:
        found = store.entry(here.tx, query.parse_index(index), *within(here.sight))
        content = alone(proof(here, found)).encode()
        return here.given(content, "text/plain", "proof", ASK_AGAIN, index=found["index"])


@pages.get("/checkpoint")
def head() -> Response:
    """The newest signed checkpoint, at most a minute old."""
    with visit(scope.PROOF) as here:
        signed = checkpoint.recent(here.tx, here.now)
        return here.given(signed.encode(), "text/plain", "checkpoint", ASK_AGAIN)


@pages.get("/consistency")
def consistency() -> Response:
    """What shows that the tree of `from` entries is the beginning of that of `to` entries."""
    with visit(scope.PROOF, None) as here:
        old, new = query.parse_sizes(request.args.items(multi=True))
        if new > checkpoint.covered(here.tx):
            raise Malformed("malformed", "to: more entries than the newest checkpoint covers")
        path = merkle.consistency_proof(StoredNodes(here.tx.connection()), old, new)
        sizes = {"from": old, "to": new}
        body = {**sizes, "path": [encode(each) for each in path]}
        return here.told(body, "consistency", FOR_EVER, **sizes)


@pages.get("/tile/<path:path>")
def tile(path: str) -> Response:
    """A tile of the tree or a bundle of entries (C2SP tlog-tiles)."""
    with visit(scope.PROOF) as here:
        wanted = query.parse_tile(path)
        if wanted.level is None:
            _may_read_everything(here.reader.scope, limited=here.sight is not None)
        if wanted.needs > checkpoint.covered(here.tx):
            raise NotFound("not_found")
        content = store.tile(here.tx, wanted)
        return here.given(content, "application/octet-stream", "tile", FOR_EVER, tile=path)


def _may_read_everything(allowed: frozenset[str], *, limited: bool) -> None:
    # A tile of hashes says nothing; one of entries holds everybody's.
    if limited or scope.READ not in allowed:
        raise NotAllowed("out_of_sight", "entries of all services are for unlimited auditors")
