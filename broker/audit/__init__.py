"""The record: what happened, in a tree that nobody can change unnoticed (RFC 9162, C2SP tlog)."""

from flask import Blueprint

from broker.audit import proof_routes, routes
from broker.audit.commands import commands
from broker.audit.door import door
from broker.audit.log import erase
from broker.feature import Feature

door.register_blueprint(routes.pages)
door.register_blueprint(proof_routes.pages)

pages = Blueprint("audit", __name__, url_prefix="/api")
pages.register_blueprint(door, url_prefix="/v1/audit")
pages.register_blueprint(door, url_prefix="/audit", name="unversioned")  # as it first was

feature = Feature("audit", pages=pages, erase=erase, commands=commands)
