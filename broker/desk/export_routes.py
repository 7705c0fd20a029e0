"""The auditors' API (openapi.yaml): bundles of entries to take along."""

from flask import Blueprint, Response

from broker.desk import exports, scope
from broker.desk.door import FOR_EVER, sent, visit
from broker.web.tools import tools

pages = Blueprint("exports", __name__)


@pages.get("/exports")
def list_exports() -> Response:
    """The caller's own."""
    with visit(scope.EXPORT) as here:
        found = [exports.shown(row) for row in exports.listed(here.tx, here.reader, here.now)]
        return here.told({"exports": found}, "exports", count=len(found))


@pages.post("/exports")
def ask() -> Response:
    """Ask for a bundle; a worker packs it."""
    with visit(scope.EXPORT) as here:
        here.reader.need(scope.READ)

        def begin() -> Response:
            row = exports.ask(here, sent(exports.Wish), tools().random)
            return here.made(exports.shown(row), f"/api/v1/exports/{row.id}", 202)

        return here.once(begin)


@pages.get("/exports/<name>")
def get_export(name: str) -> Response:
    """Where an export stands."""
    with visit(scope.EXPORT) as here:
        row = exports.find(here.tx, name, here.reader, here.now)
        return here.told(exports.shown(row), "export", export=row.id)


@pages.get("/exports/<name>/bundle")
def fetch(name: str) -> Response:
    """The bundle itself, a ZIP file."""
    with visit(scope.EXPORT) as here:
        row = exports.find(here.tx, name, here.reader, here.now)
        content = exports.fetched(here.tx, row)
        response = here.given(content, "application/zip", "bundle", FOR_EVER, export=row.id)
    response.headers["Content-Disposition"] = f'attachment; filename="miftah-{name[:8]}.zip"'
    return response
