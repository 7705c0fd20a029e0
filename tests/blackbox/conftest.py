"""A provider known by its address, two clients and a sign-in hook, and by nothing else.

By default it is ours, served for the occasion. With BLACKBOX=file.json it is any other:
{"issuer": …, "clients": [{"id": …, "secret": …, "redirect_uri": …}, {…}],
"hook": "module:function"}. The hook gets a requests.Session and the URL of an authorization
request; it does what a person would do and returns the address that the browser is sent to.
"""

import importlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest
import requests
from flask import Flask

from broker import clock, entropy
from broker.app import create_app
from broker.db import db
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import Keyring
from broker.settings import Settings
from broker.web.tools import Tools
from tests.browsing import serve
from tests.people import forms
from tests.service import Service, agree, register, settle

if TYPE_CHECKING:
    from tests.blackbox.party import Party

BYE = "https://service.test/bye"
"""Where the first client wants people to be sent once they are signed out."""

Hook = Callable[[requests.Session, str], str]


@dataclass(frozen=True)
class Client:
    id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True)
class Provider:
    issuer: str
    clients: tuple[Client, Client]
    hook: Hook
    metadata: dict[str, Any]

    def new_browser(self) -> requests.Session:
        """A browser in which nobody is signed in."""
        return requests.Session()


@pytest.fixture(scope="module")
def provider(keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    if path := os.environ.get("BLACKBOX"):
        yield _another(json.loads(Path(path).read_text()))
        return
    with _ours(keyring, tmp_path_factory.mktemp("blackbox")) as found:
        yield found


def walk(browser: requests.Session, issuer: str, url: str) -> str:
    """Where the browser leaves the provider, the first button of every page on the way pressed."""
    answer = browser.get(url, allow_redirects=False, timeout=10)
    for _ in range(12):
        if answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if not target.startswith(issuer):
                return target
            answer = browser.get(target, allow_redirects=False, timeout=10)
        else:
            form = forms(answer.text)[0]
            action = urljoin(answer.url, form.action or answer.url)
            answer = browser.post(action, data=form.fields, allow_redirects=False, timeout=10)
    raise AssertionError(f"no way out of {answer.url}")


def _another(told: dict[str, Any]) -> Provider:
    module, function = told["hook"].split(":")
    hook: Hook = getattr(importlib.import_module(module), function)
    one, two = (Client(c["id"], c["secret"], c["redirect_uri"]) for c in told["clients"])
    return Provider(told["issuer"], (one, two), hook, _discover(told["issuer"]))


def _discover(issuer: str) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(
        f"{issuer}/.well-known/openid-configuration", timeout=10
    ).json()
    return found


@contextmanager
def _ours(keyring: Keyring, folder: Path) -> Iterator[Provider]:
    made: list[Flask] = []
    url = f"sqlite:///{folder}/broker.sqlite3"

    def build(origin: str) -> Flask:
        settings = Settings(issuer=origin, database_url=url)
        tools = Tools(settings, clock.utcnow, entropy.system, lambda: keyring, read_policy(SHIPPED))
        made.append(create_app(tools))
        with made[0].app_context():
            db.create_all()
        return made[0]

    with serve(build) as issuer:
        app = made[0]
        services = (
            register(app, Service("one", "secret one"), post_logout_redirect_uris=[BYE]),
            register(app, Service("two", "secret two", "https://two.test/callback"), sector="two"),
        )
        scope = ("openid", "profile", "offline_access")

        def hook(browser: requests.Session, url: str) -> str:
            if not browser.cookies.get("miftah_session"):
                person = settle(app, app.test_client(), agreed=scope, service="one")
                agree(app, person, scope, service="two")
                browser.cookies.set("miftah_session", person.session_secret)
            return walk(browser, issuer, url)

        one, two = (Client(s.client_id, s.secret, s.redirect_uri) for s in services)
        yield Provider(issuer, (one, two), hook, _discover(issuer))
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def party(provider: Provider) -> "Party":
    from tests.blackbox.party import Party

    return Party(provider)
