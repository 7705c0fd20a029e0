"""The broker as the bench serves it where it is not served as shipped."""

from typing import Any

from flask import Flask
from sqlalchemy import event

from bench.flows import profile
from bench.flows.profile import Wsgi
from broker.app import create_app
from broker.db import db


def profiled() -> Wsgi:
    """As shipped, and watched on where its time goes."""
    return profile.profiled(create_app())


def normal() -> Flask:
    """On SQLite with synchronous=NORMAL, as peers use it: a commit may be lost in a power cut."""
    app = create_app()
    with app.app_context():
        engine = db.engine

    @event.listens_for(engine, "connect")  # after the broker's own: the last one stands
    def _lighter(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return app
