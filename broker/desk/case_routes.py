"""The auditors' API (openapi.yaml): review cases and their comments."""

from flask import Blueprint, Response

from broker.desk import cases, scope
from broker.desk.door import sent, unchanged, visit
from broker.errors import Malformed
from broker.web.tools import tools

pages = Blueprint("cases", __name__)


@pages.get("/cases")
def list_cases() -> Response:
    """A page of the cases in sight, the newest first."""
    with visit(scope.READ, frozenset({"state", "after"})) as here:
        state = here.asked.get("state")
        if state not in {None, *cases.NEXT}:
            raise Malformed("malformed", f"state: one of {', '.join(cases.NEXT)}")
        found, onward = cases.listed(here.tx, state, here.sight, here.asked.get("after"))
        body = {"cases": [cases.shown(case) for case in found], "next": onward}
        return here.told(body, "cases", filter=dict(here.asked), count=len(found))


@pages.post("/cases")
def open_case() -> Response:
    """Open a case about an entry."""
    with visit(scope.CASES) as here:

        def begin() -> Response:
            case = cases.open_case(here, sent(cases.Opening), tools().random)
            return here.made(cases.shown(case), f"/api/v1/cases/{case.id}")

        return here.once(begin)


@pages.get("/cases/<name>")
def get_case(name: str) -> Response:
    """One case; its ETag is what a change must bring back."""
    with visit(scope.READ) as here:
        case = cases.find(here.tx, name, here.sight)
        return here.told(cases.shown(case), "case", case=case.id)


@pages.patch("/cases/<name>")
def change_case(name: str) -> Response:
    """Give the case another state, if it is still as the caller saw it."""
    with visit(scope.CASES) as here:
        case = cases.find(here.tx, name, here.sight)
        wanted = sent(cases.Change)
        unchanged(cases.shown(case))
        cases.change(here, case, wanted)
        return here.made(cases.shown(case), f"/api/v1/cases/{case.id}", 200)


@pages.get("/cases/<name>/comments")
def list_comments(name: str) -> Response:
    """Every comment of a case, the oldest first."""
    with visit(scope.READ) as here:
        case = cases.find(here.tx, name, here.sight)
        found = [cases.shown_comment(each) for each in cases.comments(here.tx, case)]
        return here.told({"comments": found}, "comments", case=case.id, count=len(found))


@pages.post("/cases/<name>/comments")
def comment(name: str) -> Response:
    """Add to a case; what was added stays as it is."""
    with visit(scope.CASES) as here:
        case = cases.find(here.tx, name, here.sight)

        def add() -> Response:
            added = cases.comment(here, case, sent(cases.Addition))
            return here.made(cases.shown_comment(added), f"/api/v1/cases/{case.id}/comments")

        return here.once(add)
