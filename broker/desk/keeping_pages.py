"""The desk's pages: entries to take along, and searches kept under a name."""

import hashlib

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from broker.desk import exports, question, scope, searches
from broker.desk.door import parsed
from broker.desk.seat import seated
from broker.web.tools import tools

pages = Blueprint("keeping", __name__)

FIELDS = ("client", "kind", "level", "outcome", "reason", *question.DAYS)
"""Parts of a search that may be kept: whoever it names is not one."""


@pages.get("/exports")
def list_exports() -> str:
    """The auditor's own, the newest first, and where each stands."""
    with seated(scope.EXPORT) as here:
        rows = exports.listed(here.tx, here.reader, here.now)
        found = [exports.shown(row) | {"asked": question.told(row.query)} for row in rows]
        here.note("exports", count=len(found))
    return render_template(
        "desk/exports.html",
        rows=found,
        words=exports.WORDS,
        most=exports.MOST,
        fault=exports.TOO_MANY,
    )


@pages.post("/exports")
def ask() -> BaseResponse:
    """Ask for a bundle of what a search finds."""
    given = {"format": request.form.get("format", ""), "query": _query()}
    wish = parsed(exports.Wish, given)
    with seated(scope.EXPORT) as here:
        here.reader.need(scope.READ)
        exports.ask(here, wish, tools().random)
    return redirect("/desk/exports", 303)


@pages.get("/exports/<name>/bundle")
def fetch(name: str) -> Response:
    """The bundle itself, a ZIP file."""
    with seated(scope.EXPORT) as here:
        row = exports.find(here.tx, name, here.reader, here.now)
        content = exports.fetched(here.tx, row)
        digest = hashlib.sha256(content).hexdigest()
        here.note("bundle", export=row.id, answer=digest)
    response = Response(content, mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="miftah-{name[:8]}.zip"'
    return response


@pages.get("/searches")
def list_searches() -> str:
    """The auditor's own, by name."""
    with seated(scope.READ) as here:
        rows = searches.listed(here.tx, here.reader)
        found = [searches.shown(row) | {"asked": question.told(row.query)} for row in rows]
        here.note("searches", count=len(found))
    return render_template("desk/searches.html", rows=found)


@pages.post("/searches")
def keep() -> BaseResponse:
    """Keep a search."""
    given = {"name": request.form.get("name", ""), "query": _query()}
    wanted = parsed(searches.Kept, given)
    with seated(scope.READ) as here:
        searches.keep(here, wanted, tools().random)
    return redirect("/desk/searches", 303)


@pages.post("/searches/<name>/drop")
def drop(name: str) -> BaseResponse:
    """Forget one of the auditor's own."""
    with seated(scope.READ) as here:
        searches.drop(here, searches.find(here.tx, name, here.reader))
    return redirect("/desk/searches", 303)


def _query() -> dict[str, str]:
    """What the form asks. A person it names is handed on, for the rule that refuses to keep one."""
    names = (*FIELDS, *sorted(searches.NAMELESS))
    said = {name: text for name in names if (text := request.form.get(name, ""))}
    return question.moments(said)
