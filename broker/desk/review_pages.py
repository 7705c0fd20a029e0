"""The desk's pages: review cases, and asking who a person is."""

import re

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from broker.desk import cases, scope, story, unmasking
from broker.desk.door import parsed
from broker.desk.seat import seated
from broker.web.tools import tools

pages = Blueprint("review", __name__)

_NUMBER = re.compile(r"[0-9]{1,16}")


@pages.get("/cases")
def list_cases() -> str:
    """A page of the cases in sight, the newest first."""
    with seated(scope.READ) as here:
        rows, onward = cases.listed(here.tx, None, here.sight, request.args.get("after"))
        found = [cases.shown(case) for case in rows]
        here.note("cases", count=len(found))
    return render_template("desk/cases.html", cases=found, onward=onward)


@pages.post("/cases")
def open_case() -> BaseResponse:
    """Open a case about an entry."""
    opening = parsed(cases.Opening, _given("entry", "title"))
    with seated(scope.CASES) as here:
        case = cases.open_case(here, opening, tools().random)
    return redirect(f"/desk/cases/{case.id}", 303)


@pages.get("/cases/<name>")
def get_case(name: str) -> str:
    """One case, and what may be done with it."""
    with seated(scope.READ) as here:
        case = cases.find(here.tx, name, here.sight)
        comments = [cases.shown_comment(each) for each in cases.comments(here.tx, case)]
        shown, me = cases.shown(case), here.reader.name
        here.note("case", case=case.id)
    onward = sorted(cases.NEXT[shown["state"]])
    return render_template(
        "desk/case.html", case=shown, comments=comments, onward=onward, me=me, words=cases.WORDS
    )


@pages.post("/cases/<name>/comments")
def comment(name: str) -> BaseResponse:
    """Add to a case."""
    addition = parsed(cases.Addition, _given("text"))
    with seated(scope.CASES) as here:
        cases.comment(here, cases.find(here.tx, name, here.sight), addition)
    return redirect(f"/desk/cases/{name}", 303)


@pages.post("/cases/<name>/state")
def change(name: str) -> BaseResponse:
    """Give a case another state, unless somebody was quicker; one takes a case for oneself."""
    wanted = parsed(cases.Change, _given("state"))
    with seated(scope.CASES) as here:
        case = cases.find(here.tx, name, here.sight)
        cases.still(case, request.form.get("version", ""))
        if wanted.state == "assigned":
            wanted = wanted.model_copy(update={"assignee": here.reader.name})
        cases.change(here, case, wanted)
    return redirect(f"/desk/cases/{name}", 303)


@pages.get("/unmaskings")
def list_unmaskings() -> str:
    """A page of the requests in sight, the newest first."""
    with seated(scope.UNMASK) as here:
        rows, onward = unmasking.listed(here.tx, here.sight, request.args.get("after"))
        found = [unmasking.shown(row, here.now) for row in rows]
        me = here.reader.name
        here.note("unmaskings", count=len(found))
    return render_template(
        "desk/unmaskings.html", rows=found, onward=onward, me=me, words=unmasking.WORDS
    )


@pages.post("/unmaskings")
def ask() -> BaseResponse:
    """Ask who the person of an entry is."""
    wish = parsed(unmasking.Request, _given("entry", "reason", "minutes"))
    with seated(scope.UNMASK) as here:
        unmasking.ask(here, wish, tools().random)
    return redirect("/desk/unmaskings", 303)


@pages.post("/unmaskings/<name>/decision")
def decide(name: str) -> BaseResponse:
    """The second auditor's word."""
    decision = parsed(unmasking.Decision, _given("decision"))
    with seated(scope.UNMASK) as here:
        unmasking.decide(here, unmasking.find(here.tx, name, here.sight), decision)
    return redirect("/desk/unmaskings", 303)


@pages.post("/unmaskings/<name>/person")
def person(name: str) -> str:
    """Who it is; by POST, so that no preview or reload looks unasked."""
    with seated(scope.UNMASK) as here:
        row = unmasking.find(here.tx, name, here.sight)
        told = unmasking.person(here, row)
        shown = unmasking.shown(row, here.now)
    claims = story.claims(told["claims"])
    return render_template("desk/person.html", claims=claims, row=shown)


def _given(*names: str) -> dict[str, object]:
    """These fields of the form; whole numbers as such."""
    texts = {name: request.form[name] for name in names if name in request.form}
    return {name: int(t) if _NUMBER.fullmatch(t) else t for name, t in texts.items()}
