"""The desk's own pages."""

from flask import Blueprint

pages = Blueprint("desk", __name__, template_folder="templates")
