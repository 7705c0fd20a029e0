"""The desk's pages: searching, and one assertion told as a story with its proof."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, render_template, request

from broker.audit import query, store
from broker.audit.note import decode, encode
from broker.audit.origin import opened, signer
from broker.desk import assertions, bundle, cases, scope, searches, story
from broker.desk.assertion_query import parse_assertions
from broker.desk.looking import look
from broker.desk.proving import alone, proof
from broker.desk.question import DAYS, fields, moments
from broker.desk.seat import seated
from broker.desk.sight import within
from broker.errors import BrokerError
from broker.web.messages import message
from broker.web.tools import tools

pages = Blueprint("search", __name__)

_FIELDS = ("client", "subject", "kind", "level", "outcome", "reason", *DAYS, "cursor")
_OF_PROGRAMS = ("grant", "evidence", "min_index", "max_index")
"""Parts of a kept search that the form has no field for, and carries from page to page."""

PAGE = "25"


@pages.get("")
def search() -> str:
    """The form, with nothing asked yet."""
    return _form({}, None, None, None)


@pages.post("")
def find() -> tuple[str, int] | str:
    """What was found; by POST, because a question may name a person."""
    said = {
        name: text for name in (*_FIELDS, *_OF_PROGRAMS) if (text := request.form.get(name, ""))
    }
    try:
        wanted = parse_assertions({**moments(said), "limit": PAGE}.items())
    except BrokerError as error:
        return _form(said, None, None, error), error.status
    with seated(scope.READ) as here:
        found, onward, facts = look(here, wanted)
        here.note("assertions", **facts)
    return _form(said, found, onward, None)


@pages.post("/searches/<name>")
def find_again(name: str) -> str:
    """What a kept search finds now; by POST as any search."""
    with seated(scope.READ) as here:
        said = fields(searches.find(here.tx, name, here.reader).query)
        wanted = parse_assertions({**moments(said), "limit": PAGE}.items())
        found, onward, facts = look(here, wanted)
        here.note("assertions", search=name, **facts)
    return _form(said, found, onward, None)


@pages.get("/assertions/<index>")
def assertion(index: str) -> str:
    """One assertion: what led to it, in order, and that its entry stands in the record."""
    with seated(scope.READ) as here:
        chain = assertions.chain(here.tx, query.parse_index(index), here.sight)
        place = chain["assertion"]["index"]
        proved = proof(here, chain["assertion"])
        about = cases.about(here.tx, place, here.sight)
        here.note("assertion", index=place, proof=True)
    head = opened(proved["checkpoint"])
    key = signer(head.origin)
    in_browser = {
        **{name: proved[name] for name in ("index", "size", "path", "checkpoint")},
        "leaf": chain["assertion"]["leaf"],
        "key": encode(key.public),
    }
    return render_template(
        "desk/assertion.html",
        index=place,
        entry=chain["assertion"],
        told=story.told(chain),
        proof=proved,
        steps=story.steps(proved),
        head=head,
        key=str(key),
        in_browser=json.dumps(in_browser),
        cases=about,
    )


@pages.get("/entries/<index>/leaf")
def leaf(index: str) -> Response:
    """The entry's exact bytes, to be checked elsewhere."""
    with seated(scope.READ) as here:
        found = store.entry(here.tx, query.parse_index(index), *within(here.sight))
        here.note("leaf", index=found["index"])
    return _file(decode(found["leaf"]), f"{found['index']}.entry")


@pages.get("/entries/<index>/tlog-proof")
def proof_file(index: str) -> Response:
    """The entry's proof, to be checked elsewhere."""
    with seated(scope.PROOF) as here:
        found = store.entry(here.tx, query.parse_index(index), *within(here.sight))
        content = alone(proof(here, found)).encode()
        here.note("proof", index=found["index"])
    return _file(content, f"{found['index']}.tlog-proof")


@pages.get("/entries/<index>")
def entry(index: str) -> str:
    """One entry of any kind, as it was written."""
    with seated(scope.READ) as here:
        found = store.entry(here.tx, query.parse_index(index), *within(here.sight))
        here.note("entry", index=found["index"])
    written = json.dumps(found["entry"], ensure_ascii=False, indent=2)
    return render_template("desk/entry.html", index=found["index"], written=written)


def _file(content: bytes, name: str) -> Response:
    response = Response(content, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _form(
    said: Mapping[str, str],
    found: list[dict[str, Any]] | None,
    onward: str | None,
    error: BrokerError | None,
) -> str:
    policy = tools().policy
    return render_template(
        "desk/search.html",
        said=said,
        rows=None if found is None else [story.row(each) for each in found],
        onward=onward,
        error=error and message(error.code),
        levels=[acr.name for acr in policy.acr],
        kinds=story.kinds(policy.evidence),
        keepable=not searches.NAMELESS & (said.keys() - {"cursor"}),
        formats=bundle.available() if scope.EXPORT in g.desk_scope else (),
    )
