"""A service that takes part in sign-outs, and what is seen of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask
from sqlalchemy import select

from broker.accounts.models import Session
from broker.db import reading
from broker.oidc.logout.models import LogoutNotice
from broker.outbound import Outbound
from broker.web.tools import Tools
from tests.service import Service, register

BYE = "https://service.test/bye"
BACKCHANNEL = "https://service.test/backchannel"


@pytest.fixture
def service(app: Flask) -> Service:
    return register(
        app,
        post_logout_redirect_uris=[BYE, f"{BYE}?kept=1"],
        backchannel_logout_uri=BACKCHANNEL,
    )


@dataclass
class Receiver:
    """A service's back-channel door on this machine: what came, and what it answers."""

    address: str = ""
    came: list[dict[str, str]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    """The door, and a broker that may knock at it."""
    held = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            held.came.append({k: v[0] for k, v in parse_qs(body).items()})
            self.send_response(held.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Door)
    held.address = f"http://127.0.0.1:{server.server_port}/backchannel"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    may_knock(app)
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


def may_knock(app: Flask) -> None:
    """Let the broker reach this machine."""
    tools: Tools = app.extensions["broker"]
    app.extensions["broker"] = replace(tools, outbound=Outbound(local=True))


def notices(app: Flask) -> list[LogoutNotice]:
    """What is still to be told."""
    with app.app_context(), reading() as tx:
        found = list(tx.scalars(select(LogoutNotice).order_by(LogoutNotice.client_id)))
        tx.expunge_all()
    return found


def sessions(app: Flask) -> list[str]:
    """The accounts that are signed in."""
    with app.app_context(), reading() as tx:
        return list(tx.scalars(select(Session.account_id)))
