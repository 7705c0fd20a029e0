"""The auditor's API (openapi.yaml): entries, assertions, statistics; every read is recorded."""

from flask import Blueprint, Response, jsonify, request

from broker.audit import assertion_query, assertions, cursor, query, statistics, store
from broker.audit.door import ASK_AGAIN, FOR_EVER, reading_record, tagged
from broker.web.tools import tools

pages = Blueprint("entries", __name__)


@pages.get("/entries")
def entries() -> Response:
    """A page of entries, oldest first."""
    with reading_record() as read:
        wanted = query.parse_entries(request.args.items(multi=True))
        found, following = store.entries(read.tx, wanted, read.sight)
        read.note("entries", filter=wanted.facts(), count=len(found))
    return jsonify(entries=found, next=following)


@pages.get("/entries/<index>")
def entry(index: str) -> Response:
    """One entry: read, and as its exact bytes."""
    with reading_record() as read:
        query.single(request.args.items(multi=True))
        found = store.entry(read.tx, query.parse_index(index), read.sight)
        read.note("entry", index=found["index"])
    return tagged(jsonify(found), FOR_EVER)


@pages.get("/assertions")
def list_assertions() -> Response:
    """A page of what services were told of people, or were refused, oldest first."""
    with reading_record() as read:
        wanted = assertion_query.parse_assertions(request.args.items(multi=True))
        asked, after = wanted.facts(), None
        bound = read.caller.client_id, asked, read.now, cursor.key(tools().keyring.browser)
        if wanted.unverified_cursor is not None:
            after = cursor.unseal(wanted.unverified_cursor, *bound)
        found, following = assertions.find(read.tx, wanted, after, read.sight)
        place = {} if after is None else {"after": after}
        read.note("assertions", filter=asked, **place, count=len(found))
    onward = None if following is None else cursor.seal(following, *bound)
    return jsonify(assertions=found, next=onward)


@pages.get("/assertions/<index>")
def assertion(index: str) -> Response:
    """One assertion with its whole chain."""
    with reading_record() as read:
        query.single(request.args.items(multi=True))
        found = assertions.chain(read.tx, query.parse_index(index), read.sight)
        links = [e["index"] for name in ("evidence", "grant") for e in found[name]]
        read.note("assertion", index=found["assertion"]["index"], links=links)
    return tagged(jsonify(found), ASK_AGAIN)


@pages.get("/statistics")
def count() -> Response:
    """How many assertions a month had, small numbers withheld."""
    with reading_record() as read:
        wanted = assertion_query.parse_month(request.args.items(multi=True), read.now)
        found = statistics.count(read.tx, wanted, read.sight)
        read.note("statistics", month=wanted.month, by=wanted.by)
    return tagged(jsonify(found), ASK_AGAIN)
