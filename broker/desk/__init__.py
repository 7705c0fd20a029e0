"""The auditors' desk: what may be asked of the record, by whom, and pages to ask it on."""

from flask import Blueprint

from broker.desk import (
    auditor,
    case_routes,
    entry_routes,
    export_routes,
    keeping_pages,
    picture_pages,
    proof_routes,
    review_pages,
    search_pages,
    search_routes,
    seat,
    unmask_routes,
)
from broker.desk.commands import commands
from broker.desk.door import door
from broker.desk.worker import pack_next
from broker.feature import Feature
from broker.web import csrf

for child in (
    entry_routes,
    proof_routes,
    case_routes,
    unmask_routes,
    export_routes,
    search_routes,
):
    door.register_blueprint(child.pages)
for sheet in (search_pages, review_pages, keeping_pages, picture_pages):
    seat.pages.register_blueprint(sheet.pages)

pages = Blueprint("desk", __name__)
pages.register_blueprint(door)
pages.register_blueprint(seat.pages)

# Programs come with a token, not with a browser's cookie: there is no form to be forged.
for endpoint in (
    "cases.open_case",
    "cases.change_case",
    "cases.comment",
    "unmaskings.ask",
    "unmaskings.decide",
    "exports.ask",
    "searches.keep",
    "searches.drop",
):
    csrf.exempt(f"desk.api.{endpoint}")

feature = Feature("desk", pages=pages, erase=auditor.forget, work=pack_next, commands=commands)
