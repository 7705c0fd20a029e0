"""The auditors' API (openapi.yaml): entries, assertions, statistics; every read is recorded."""

from flask import Blueprint, Response, request

from broker.audit import moments, query, store
from broker.desk import assertion_query, assertions, scope, statistics
from broker.desk.door import FOR_EVER, visit
from broker.desk.looking import look
from broker.desk.sight import within

pages = Blueprint("entries", __name__)


@pages.get("/entries")
def entries() -> Response:
    """A page of entries, oldest first."""
    with visit(scope.READ, None) as here:
        wanted = query.parse_entries(request.args.items(multi=True))
        those = (*store.conditions(wanted), *within(here.sight))
        those += tuple(moments.within(here.tx, wanted.since, wanted.until))
        found, following = store.page(here.tx, those, wanted.limit)
        body = {"entries": found, "next": following}
        return here.told(body, "entries", filter=wanted.facts(), count=len(found))


@pages.get("/entries/<index>")
def entry(index: str) -> Response:
    """One entry: read, and as its exact bytes."""
    with visit(scope.READ) as here:
        found = store.entry(here.tx, query.parse_index(index), *within(here.sight))
        return here.told(found, "entry", FOR_EVER, index=found["index"])


@pages.get("/assertions")
def list_assertions() -> Response:
    """A page of what services were told of people, or were refused, oldest first."""
    with visit(scope.READ, None) as here:
        wanted = assertion_query.parse_assertions(request.args.items(multi=True))
        found, onward, facts = look(here, wanted)
        body = {"assertions": found, "next": onward}
        return here.told(body, "assertions", **facts)


@pages.get("/assertions/<index>")
def assertion(index: str) -> Response:
    """One assertion with its whole chain."""
    with visit(scope.READ) as here:
        found = assertions.chain(here.tx, query.parse_index(index), here.sight)
        links = [each["index"] for name in ("evidence", "grant") for each in found[name]]
        place = found["assertion"]["index"]
        return here.told(found, "assertion", index=place, links=links)


@pages.get("/statistics")
def count() -> Response:
    """How many assertions a month had, small numbers withheld."""
    with visit(scope.READ, None) as here:
        wanted = assertion_query.parse_month(request.args.items(multi=True), here.now)
        found = statistics.count(here.tx, wanted, here.sight)
        return here.told(found, "statistics", month=wanted.month, by=wanted.by)
