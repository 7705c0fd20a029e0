"""A mail server that keeps what it is given, and a broker that sends through it."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from flask.testing import FlaskClient

from broker.settings import MailSettings
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.people import forms, visit

ADDRESS = "amal@example.org"


@dataclass
class PostOffice:
    """Takes every letter, or none while `closed`."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)
    closed: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        if self.closed:
            return "451 not now"
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    office = PostOffice(port)
    controller = Controller(office, hostname="127.0.0.1", port=port)
    controller.start()
    yield office
    controller.stop()


def with_mail(app: Flask, mail: MailSettings) -> Flask:
    tools: Tools = app.extensions["broker"]
    settings = tools.settings.model_copy(update={"mail": mail})
    app.extensions["broker"] = replace(tools, settings=settings)
    return app


@pytest.fixture
def mailing(app: Flask, post_office: PostOffice) -> Flask:
    """The broker, with this mail server."""
    mail = MailSettings(
        host="127.0.0.1", port=post_office.port, security="none", sender="Miftah <a@broker.test>"
    )
    return with_mail(app, mail)


def deliver(app: Flask) -> None:
    """Let the worker do all that is due."""
    told = app.test_cli_runner().invoke(args=["work", "--once"])
    assert told.exit_code == 0, told.output


def send(client: FlaskClient, page: str, form_id: str, **typed: str) -> Any:
    """The answer to the form of the page, filled in as told."""
    form = next(form for form in forms(visit(client, page).text) if form.action == form_id)
    return client.post(form.action, data={**form.fields, **typed}, base_url=ISSUER)


def code_in(letter: EmailMessage) -> str:
    return str(letter["Subject"]).rsplit(" ", 1)[-1]


def offer(client: FlaskClient, address: str = ADDRESS) -> Any:
    return send(client, "/account/address", "/account/address", address=address)


def prove(client: FlaskClient, code: str) -> Any:
    return send(client, "/account/address/code", "/account/address/code", code=code)


def settle_address(app: Flask, client: FlaskClient, office: PostOffice) -> None:
    """The person has given an address and proved it; the mailbox is empty again."""
    assert offer(client).status_code == 303
    deliver(app)
    assert prove(client, code_in(office.letters[-1])).location == "/account"
    deliver(app)
    office.letters.clear()
