"""The auditors' API (openapi.yaml): searches kept under a name."""

from flask import Blueprint, Response

from broker.desk import scope, searches
from broker.desk.door import sent, visit
from broker.web.tools import tools

pages = Blueprint("searches", __name__)


@pages.get("/searches")
def list_searches() -> Response:
    """The caller's own."""
    with visit(scope.READ) as here:
        found = [searches.shown(row) for row in searches.listed(here.tx, here.reader)]
        return here.told({"searches": found}, "searches", count=len(found))


@pages.post("/searches")
def keep() -> Response:
    """Keep a search."""
    with visit(scope.READ) as here:

        def begin() -> Response:
            row = searches.keep(here, sent(searches.Kept), tools().random)
            return here.made(searches.shown(row), f"/api/v1/searches/{row.id}")

        return here.once(begin)


@pages.get("/searches/<name>")
def get_search(name: str) -> Response:
    """One of the caller's own."""
    with visit(scope.READ) as here:
        row = searches.find(here.tx, name, here.reader)
        return here.told(searches.shown(row), "search", search=row.id)


@pages.delete("/searches/<name>")
def drop(name: str) -> Response:
    """Forget one of the caller's own."""
    with visit(scope.READ) as here:
        searches.drop(here, searches.find(here.tx, name, here.reader))
        return Response(status=204)
