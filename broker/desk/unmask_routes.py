"""The auditors' API (openapi.yaml): asking who a person is, deciding on it, and being told."""

from flask import Blueprint, Response

from broker.desk import scope, unmasking
from broker.desk.door import sent, visit
from broker.web.tools import tools

pages = Blueprint("unmaskings", __name__)


@pages.get("/unmaskings")
def list_unmaskings() -> Response:
    """A page of the requests in sight, the newest first."""
    with visit(scope.UNMASK, frozenset({"after"})) as here:
        found, onward = unmasking.listed(here.tx, here.sight, here.asked.get("after"))
        shown = [unmasking.shown(row, here.now) for row in found]
        body = {"unmaskings": shown, "next": onward}
        return here.told(body, "unmaskings", count=len(found))


@pages.post("/unmaskings")
def ask() -> Response:
    """Ask who the person of an entry is."""
    with visit(scope.UNMASK) as here:

        def begin() -> Response:
            row = unmasking.ask(here, sent(unmasking.Request), tools().random)
            return here.made(unmasking.shown(row, here.now), f"/api/v1/unmaskings/{row.id}")

        return here.once(begin)


@pages.get("/unmaskings/<name>")
def get_unmasking(name: str) -> Response:
    """One request."""
    with visit(scope.UNMASK) as here:
        row = unmasking.find(here.tx, name, here.sight)
        return here.told(unmasking.shown(row, here.now), "unmasking", unmasking=row.id)


@pages.post("/unmaskings/<name>/decision")
def decide(name: str) -> Response:
    """The second auditor's word."""
    with visit(scope.UNMASK) as here:
        row = unmasking.find(here.tx, name, here.sight)

        def settle() -> Response:
            unmasking.decide(here, row, sent(unmasking.Decision))
            return here.made(unmasking.shown(row, here.now), f"/api/v1/unmaskings/{row.id}", 200)

        return here.once(settle)


@pages.get("/unmaskings/<name>/person")
def person(name: str) -> Response:
    """Who it is, while the time runs; kept by nobody on the way."""
    with visit(scope.UNMASK) as here:
        row = unmasking.find(here.tx, name, here.sight)
        return here.told(unmasking.person(here, row), "person", "no-store", unmasking=row.id)
