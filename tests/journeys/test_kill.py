"""kill -9 at random moments during issuances: no token without its entry, nothing half written.

`make kill9` runs the long version. What it cannot show: a missing fsync, because the page cache
survives a killed process (decision 0002).
"""

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from joserfc import jws

from broker import clock, entropy, keyring
from broker.app import create_app
from broker.db import db
from broker.identity.assurance import SHIPPED, read_policy
from broker.settings import Settings
from broker.web.tools import Tools
from tests.conftest import lay_migrated
from tests.service import Service, register, settle

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("MIFTAH_KILLS", "4"))
ACKNOWLEDGED = int(os.environ.get("MIFTAH_ISSUANCES", "100"))


@dataclass
class Load:
    """A relying service that goes on and on; every token it was really handed is in `handed`."""

    origin: str
    cookie: str
    service: Service
    handed: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with requests.Session() as http:
            while not self.stop.is_set():
                try:
                    self._once(http)
                except (requests.RequestException, KeyError):
                    time.sleep(0.05)

    def _once(self, http: requests.Session) -> None:
        asked = http.get(
            f"{self.origin}/authorize",
            params=self.service.arguments(),
            headers={"Cookie": f"miftah_session={self.cookie}"},
            allow_redirects=False,
            timeout=5,
        )
        code = parse_qs(urlsplit(asked.headers["Location"]).query)["code"][0]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.service.redirect_uri,
            "code_verifier": "v" * 43,
        }
        told = http.post(f"{self.origin}/token", data=form, headers=self.service.basic(), timeout=5)
        if told.status_code == 200:
            payload = jws.extract_compact(told.json()["id_token"].encode()).payload
            self.handed.append(sha256(json.loads(payload)["jti"].encode()).hexdigest())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def prepared(folder: Path, port: int) -> Iterator[tuple[Flask, dict[str, str]]]:
    environ = {
        **os.environ,
        "BROKER_ISSUER": f"http://localhost:{port}",
        "BROKER_DATABASE_URL": f"sqlite:///{folder}/broker.sqlite3",
        "BROKER_KEYS_DIR": str(folder / "keys"),
    }
    keyring.init(folder / "keys", clock.utcnow())
    lay_migrated(environ["BROKER_DATABASE_URL"])
    settings = Settings(
        issuer=environ["BROKER_ISSUER"],
        database_url=environ["BROKER_DATABASE_URL"],
        keys_dir=folder / "keys",
    )
    keys = keyring.load(folder / "keys")
    app = create_app(
        Tools(settings, clock.utcnow, entropy.system, lambda: keys, read_policy(SHIPPED))
    )
    yield app, environ
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def start(environ: dict[str, str], port: int) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        [
            *(sys.executable, "deploy/serve.py", "broker:create_app"),
            *("--bind", f"localhost:{port}", "--workers", "2"),
        ],
        env=environ,
        start_new_session=True,
    )
    for _ in range(900):
        try:
            requests.get(f"http://localhost:{port}/jwks", timeout=1)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return server
    os.killpg(server.pid, signal.SIGKILL)
    raise AssertionError("the server did not start")


def size(database: str) -> int:
    """Of the record, as far as it is sequenced."""
    with closing(sqlite3.connect(database, timeout=30)) as found:
        return int(found.execute("SELECT count(*) FROM audit_entry").fetchone()[0])


@contextmanager
def sequencing(environ: dict[str, str], moments: random.Random) -> Iterator[None]:
    """A sequencer beside the server, killed whenever it has come to work, whatever it is at."""
    over, database = threading.Event(), environ["BROKER_DATABASE_URL"].removeprefix("sqlite:///")

    def run() -> None:
        while not over.is_set():
            words = ["-m", "flask", "--app", "broker", "audit", "sequence"]
            process, before = (
                subprocess.Popen([sys.executable, *words], env=environ),
                size(database),
            )
            while not over.wait(0.1) and process.poll() is None and size(database) == before:
                pass
            over.wait(2 * moments.random())
            process.kill()
            process.wait()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_no_token_without_its_entry_and_nothing_half_written(tmp_path: Path) -> None:
    port = free_port()
    with prepared(tmp_path, port) as (app, environ):
        service = register(app)
        person = settle(app, app.test_client(), agreed=("openid",))
        load = Load(environ["BROKER_ISSUER"], person.session_secret, service)
        threads = [threading.Thread(target=load.run) for _ in range(4)]
        moments = random.Random(os.environ.get("MIFTAH_SEED", "1"))  # noqa: S311  not a secret
        server, kills = start(environ, port), 0
        for thread in threads:
            thread.start()
        try:
            with sequencing(environ, moments):
                while kills < KILLS or len(load.handed) < ACKNOWLEDGED:
                    before = len(load.handed)
                    while len(load.handed) < before + ACKNOWLEDGED // KILLS:
                        time.sleep(0.01)
                    time.sleep(moments.random() / 5)
                    os.killpg(server.pid, signal.SIGKILL)
                    server.wait()
                    kills += 1
                    server = start(environ, port)
        finally:
            load.stop.set()
            for thread in threads:
                thread.join()
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        recovered = app.test_cli_runner().invoke(args=["audit", "sequence", "--once"])
        assert recovered.exit_code == 0, recovered.output
        print(f"{len(load.handed)} tokens handed over, {kills} kills")
        assert faults(app, tmp_path / "broker.sqlite3", load.handed) == []
        with sqlite3.connect(tmp_path / "broker.sqlite3") as spoiled:
            # The control: a record that lost its last entries must be found out.
            spoiled.execute(
                "DELETE FROM audit_entry WHERE idx > (SELECT max(idx)-3 FROM audit_entry)"
            )
        assert faults(app, tmp_path / "broker.sqlite3", load.handed) != []


def faults(app: Flask, database: Path, handed: list[str]) -> list[str]:
    """What is wrong in the database, in words; nothing if nothing is."""
    found = []
    connection = sqlite3.connect(database)

    def one(query: str) -> int:
        return int(connection.execute(query).fetchone()[0])

    leaves = [row[0] for row in connection.execute("SELECT leaf FROM audit_entry ORDER BY idx")]
    record = b"\n".join(leaves).decode()
    issued = one("SELECT count(*) FROM audit_entry WHERE event = 'token.issued'")
    minted = one("SELECT count(*) FROM access_token")
    spent = one("SELECT count(*) FROM authorization_grant WHERE code_spent IS NOT NULL")
    if astray := sum(record.count(digest) != 1 for digest in handed):
        found.append(f"{astray} tokens without an entry, or with two")
    if not issued == minted == spent:
        found.append(f"{issued} issuances, {minted} tokens, {spent} spent codes")
    if one("SELECT count(*) FROM audit_staged"):
        found.append("entries have no place")
    if one("SELECT count(*) FROM audit_entry") != one("SELECT max(idx) + 1 FROM audit_entry"):
        found.append("the record has gaps")
    if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        found.append("the database is damaged")
    connection.close()
    checked = app.test_cli_runner().invoke(args=["audit", "verify"])
    if checked.exit_code != 0:
        found.append(checked.output)
    return found
