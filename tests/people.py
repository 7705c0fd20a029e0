"""People for tests: somebody who enrols a key on the real pages, and signs in with it."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.authentication.authenticator import SoftAuthenticator
from tests.conftest import ISSUER

RP_ID = "broker.test"


@dataclass
class Form:
    """A form as the page has it: where it goes, what it holds, what the script is asked."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            options = json.loads(said.get("data-options", "{}"))
            self.found.append(Form(said.get("action", ""), {}, options))
        elif tag == "input" and self.found and "name" in said:
            self.found[-1].fields[said["name"]] = said.get("value", "")


def forms(page: str) -> list[Form]:
    """Every form of the page."""
    parser = _Forms()
    parser.feed(page)
    return parser.found


def ceremony(response: TestResponse) -> Form:
    """The form of the page that asks for a key."""
    return next(form for form in forms(response.text) if form.options)


def answer(client: FlaskClient, form: Form, credential: dict[str, Any] | str) -> TestResponse:
    """Send the form with the key's answer in it, as the page's script does."""
    text = credential if isinstance(credential, str) else json.dumps(credential)
    return client.post(form.action, data={**form.fields, "credential": text}, base_url=ISSUER)


def visit(client: FlaskClient, path: str) -> TestResponse:
    """The page, by https as in production."""
    return client.get(path, base_url=ISSUER)


def new_key(**said: Any) -> SoftAuthenticator:
    """A security key in a browser that is at our address."""
    return SoftAuthenticator(ISSUER, RP_ID, **said)


def enrol(
    client: FlaskClient, handle: str = "account", authenticator: SoftAuthenticator | None = None
) -> SoftAuthenticator:
    """The key with which a new person has made their access; they are signed in."""
    authenticator = authenticator or new_key()
    form = ceremony(visit(client, f"/enrol/{handle}"))
    response = answer(client, form, authenticator.create(form.options))
    assert response.status_code == 303, response.text
    assert response.location == f"/enrol/{handle}/second"
    return authenticator


def sign_in(
    client: FlaskClient, authenticator: SoftAuthenticator, handle: str = "account", query: str = ""
) -> TestResponse:
    """The answer to a sign-in with this key: a redirection to where the person was going."""
    form = ceremony(visit(client, f"/sign-in/{handle}{query}"))
    response = answer(client, form, authenticator.get(form.options))
    assert response.status_code == 303, response.text
    return response


def add_key(
    client: FlaskClient, authenticator: SoftAuthenticator, handle: str = "account"
) -> TestResponse:
    """One more key for the person who is signed in."""
    form = ceremony(visit(client, f"/enrol/{handle}/second"))
    response = answer(client, form, authenticator.create(form.options))
    assert response.status_code == 303, response.text
    return response
