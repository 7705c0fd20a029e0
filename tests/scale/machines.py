"""Two machines of two workers each, on one PostgreSQL, and a browser that meets both in turn."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from alembic import command
from flask import Flask

from broker import clock, entropy, keyring
from broker.app import create_app
from broker.db import db
from broker.identity.assurance import SHIPPED, read_policy
from broker.keyring import HeldKeyring, unlock
from broker.settings import Settings
from broker.setup import alembic_config
from broker.web.tools import Tools
from tests.deploy.proxy import proxying
from tests.deploy.running import BROKER, ROOT, Running, free_port, start, stop
from tests.service import Person, Service, register, settle

WORKERS = 2
LONG = pytest.mark.skipif("MIFTAH_SCALE" not in os.environ, reason="minutes: make scale")


@dataclass
class Machines:
    """Both brokers, the same house in this process, a service and a person who is signed in."""

    app: Flask
    issuer: str
    folders: tuple[Path, ...]
    environ: dict[str, str]
    brokers: list[Running]
    service: Service
    person: Person

    def __post_init__(self) -> None:
        self.at = [Caller(broker.origin, self.issuer) for broker in self.brokers]
        trust = self.folders[0].parent / "nginx" / "fullchain.pem"
        self.front = Caller(self.issuer, self.issuer, str(trust))

    @property
    def cookies(self) -> dict[str, str]:
        return {"__Host-miftah_session": self.person.session_secret}

    def tell(self, *words: str) -> str:
        """What a command of the operator's prints."""
        told = self.app.test_cli_runner().invoke(args=list(words))
        assert told.exit_code == 0, told.output
        return told.output

    @contextmanager
    def working(self) -> Iterator[list[subprocess.Popen[bytes]]]:
        """`flask --app broker work` on each machine, until the block ends."""
        command = [sys.executable, "-m", "flask", "--app", "broker", "work"]
        environ = {**os.environ, **self.environ, "PYTHONPATH": str(ROOT)}
        running = [subprocess.Popen(command, env=environ, cwd=each) for each in self.folders]
        try:
            yield running
        finally:
            for each in running:
                each.kill()
                each.wait()

    def elsewhere(self, database: str, *words: str) -> str:
        """What the command prints that looks into another database."""
        environ = {**os.environ, **self.environ, "BROKER_DATABASE_URL": database}
        command = [sys.executable, "-m", "flask", "--app", "broker", *words]
        told = subprocess.run(
            command,
            env={**environ, "PYTHONPATH": str(ROOT)},
            cwd=self.folders[0],
            capture_output=True,
            text=True,
            check=False,
        )
        return told.stdout + told.stderr


@dataclass
class Caller:
    """Who asks one broker directly, saying what the proxy would say, or the proxy itself."""

    origin: str
    issuer: str
    trust: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        self.headers = {
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Proto": parts.scheme,
            "X-Forwarded-Host": parts.netloc,
        }

    def ask(self, method: str, path: str, **said: Any) -> requests.Response:
        headers = {**self.headers, **said.pop("headers", {})}
        if cookies := said.pop("cookies", None):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return requests.request(
            *(method, self.origin + path),
            headers=headers,
            allow_redirects=False,
            timeout=60,
            verify=self.trust or None,
            **said,
        )

    def get(self, path: str, **said: Any) -> requests.Response:
        return self.ask("GET", path, **said)

    def post(self, path: str, **said: Any) -> requests.Response:
        return self.ask("POST", path, **said)


@dataclass
class Wanderer:
    """A browser whose every request reaches another machine; speaks as Flask's test client."""

    at: list[Caller]
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._turn = cycle(self.at)

    def get(self, path: str, **_: Any) -> "Heard":
        return self._keep(next(self._turn).get(path, cookies=self.cookies))

    def post(self, path: str, data: Mapping[str, str], **_: Any) -> "Heard":
        return self._keep(next(self._turn).post(path, data=data, cookies=self.cookies))

    def _keep(self, response: requests.Response) -> "Heard":
        for line in response.raw.headers.getlist("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return Heard(response.status_code, response.text, response.headers.get("Location", ""))


@dataclass(frozen=True)
class Heard:
    """An answer, as Flask's test client names its parts."""

    status_code: int
    text: str
    location: str


def house(environ: Mapping[str, str], folder: Path) -> Flask:
    """The same house in this process, for looking into the database."""
    settings = Settings(
        issuer=environ["BROKER_ISSUER"],
        database_url=environ["BROKER_DATABASE_URL"],
        keys_dir=folder / "keys",
    )
    keys = HeldKeyring(
        folder / "keys", clock.utcnow, settings.keys.retire_after, unlock(settings.keys)
    )
    return create_app(Tools(settings, clock.utcnow, entropy.system, keys, read_policy(SHIPPED)))


@contextmanager
def machines(folder: Path, database: str, **more: str) -> Iterator[Machines]:
    """Both behind nginx; each in a folder of its own, with its own copy of the keys."""
    folders, port = (folder / "first", folder / "second"), free_port()
    issuer = f"https://127.0.0.1:{port}"
    environ = {"BROKER_ISSUER": issuer, "BROKER_TRUSTED_PROXIES": "1", **more}
    keyring.init(folder / "keys", clock.utcnow())
    for each in folders:
        each.mkdir()
        shutil.copytree(folder / "keys", each / "keys")
    direct = {**environ, "BROKER_DATABASE_URL": database}
    command.upgrade(alembic_config(database), "head")
    app = house(direct, folders[0])
    environ = {**direct, "BROKER_DATABASE_URL": more.get("BROKER_DATABASE_URL", database)}
    service = register(app)
    person = settle(app, app.test_client(), agreed=("openid",))
    with ExitStack() as running:
        brokers = []
        for each in folders:
            brokers.append(start(each, BROKER, workers=WORKERS, environ=environ))
            running.callback(stop, brokers[-1])
        ports = [broker.port for broker in brokers]
        running.enter_context(proxying(folder / "nginx", ports, port, unlimited=True))
        yield Machines(app, issuer, folders, environ, brokers, service, person)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
