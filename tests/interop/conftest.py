"""The broker as it is served, for relying parties that somebody else wrote."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask

from broker import clock, entropy
from broker.app import create_app
from broker.db import db
from broker.outbound import Outbound
from broker.settings import Settings
from broker.web.tools import Tools
from tests.browsing import serve


@dataclass(frozen=True)
class Town:
    """Where the broker is served, and its application."""

    issuer: str
    app: Flask


@pytest.fixture
def town(tools: Tools, tmp_path: Path) -> Iterator[Town]:
    made: list[Flask] = []

    def build(origin: str) -> Flask:
        settings = Settings(issuer=origin, database_url=f"sqlite:///{tmp_path}/broker.sqlite3")
        real = replace(
            tools,
            settings=settings,
            clock=clock.utcnow,
            random=entropy.system,
            outbound=Outbound(local=True),
        )
        made.append(create_app(real))
        with made[0].app_context():
            db.create_all()
        return made[0]

    with serve(build) as origin:
        yield Town(origin, made[0])
    with made[0].app_context():
        db.session.remove()
        db.engine.dispose()
