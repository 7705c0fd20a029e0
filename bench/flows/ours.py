"""Our broker: made ready by its own commands, served by the shipped server, `work` beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.flows import postgres, proc
from bench.flows.contestant import (
    CALLBACK,
    CLIENT_ID,
    CREDENTIALS,
    CREDENTIALS_JWT,
    OPERATIONS,
    ROOT,
    BenchFailed,
    Own,
    Served,
    answering,
    free_port,
    process,
)

SERVER = ROOT / "deploy" / "serve.py"
SHIPPED = "broker:create_app"
_SYNCHRONOUS = {"sqlite-normal": "NORMAL"}

OWN_SCOPE = "audit:read"
_SERVICE = {
    "client_name#en": "A service of the bench",
    "purpose#en": "To be measured.",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "client_credentials"],
    "scope": f"openid profile assurance {OWN_SCOPE}",
    "sector": "service.example",
}


_FORMS = {CLIENT_ID: "opaque", f"{CLIENT_ID}-jwt": "jwt"}
"""Client identifier → the form of its access tokens; opaque is the form as shipped."""


class Fill(NamedTuple):
    """What stands in the database before the first flow."""

    name: str
    persons: int
    clients: int
    entries: int


@dataclass(frozen=True)
class Ours:
    """`database` is sqlite (as shipped, synchronous=FULL), sqlite-normal or postgres.

    `threads` of 0 are the server's own number. `application` takes the place of the shipped one.
    With `fill` there are others in the database, and the people are any of them. `processors`:
    one, as shipped, or all (broker/processors.py).
    """

    database: str
    people: int
    workers: int = 1
    threads: int = 0
    application: str = ""
    fill: Fill | None = None
    operations: Sequence[str] = OPERATIONS
    processors: str = "one"

    @property
    def name(self) -> str:
        """As in the table."""
        marks = ["ours", self.database, *([f"x{self.workers}"] if self.workers > 1 else [])]
        marks += [f"t{self.threads}"] if self.threads else []
        marks += ["all"] if self.processors == "all" else []
        return "-".join([*marks, *([self.fill.name] if self.fill else [])])

    def prepare(self, folder: Path) -> None:
        """Keys, tables and the service, as an operator makes them."""
        with ExitStack() as stack:
            if self.database == "postgres":
                postgres.make(folder, "broker")
                stack.enter_context(postgres.running(folder))
            environ = self.environ(folder, "http://127.0.0.1:1")
            run(environ, "-m", "compileall", "-q", "broker", "deploy")  # as an image is made
            for task in ("keys", "database"):
                run(environ, "-m", "broker.setup", task)
            secrets = {
                name: _register(environ, folder, name, form) for name, form in _FORMS.items()
            }
            (folder / "secrets.json").write_text(json.dumps(secrets))
            if self.fill:
                run(environ, "-m", "bench.flows.fill", *map(str, self.fill[1:]))
                run(environ, "-m", "flask", "--app", "broker", "work", "--once")

    @contextmanager
    def serve(self, folder: Path) -> Iterator[Served]:
        """Served; new people are signed in by the broker's own functions."""
        port, log = free_port(), folder / "log"
        issuer = f"http://127.0.0.1:{port}"
        environ = self.environ(folder, issuer)
        with ExitStack() as stack:
            helpers = []
            if self.database == "postgres":
                helpers.append(stack.enter_context(postgres.running(folder)))
            who = [str(self.people), *(["--known"] if self.fill else [])]
            cookies = json.loads(run(environ, "-m", "bench.flows.people", *who))
            server = stack.enter_context(process(self._command(port), environ, log))
            metadata, cold = answering(server, issuer, log)
            work = [sys.executable, "-m", "flask", "--app", "broker", "work"]
            helpers.append(stack.enter_context(process(work, environ, log)).pid)
            proc.settle(helpers[-1:])
            secrets = json.loads((folder / "secrets.json").read_text())
            yield Served(
                metadata=metadata,
                cookies=cookies,
                secret=secrets[CLIENT_ID],
                servers=[server.pid],
                helpers=helpers,
                cold_s=cold,
                own={
                    operation: Own(client_id, secrets[client_id], {"scope": OWN_SCOPE})
                    for operation, client_id in zip(
                        (CREDENTIALS, CREDENTIALS_JWT), _FORMS, strict=True
                    )
                },
            )

    def environ(self, folder: Path, issuer: str) -> Mapping[str, str]:
        """The broker's settings."""
        url = f"sqlite:///{folder}/broker.sqlite3"
        if self.database == "postgres":
            url = postgres.url(folder, "broker")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BROKER_")}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "BROKER_ISSUER": issuer,
            "BROKER_DATABASE_URL": url,
            "BROKER_DATABASE_SYNCHRONOUS": _SYNCHRONOUS.get(self.database, "FULL"),
            "BROKER_KEYS_DIR": str(folder / "keys"),
            # One name of the record, whatever port the system gave this round.
            "BROKER_AUDIT__ORIGIN": "bench.example",
            "BENCH_OUT": str(folder),
        }

    def _command(self, port: int) -> list[str]:
        threads = ["--threads", str(self.threads)] if self.threads else []
        served = [self.application or SHIPPED, "--bind", f"127.0.0.1:{port}"]
        server = [sys.executable, str(SERVER), *served, "--processors", self.processors]
        return [*server, "--workers", str(self.workers), *threads]


def _register(environ: Mapping[str, str], folder: Path, name: str, form: str) -> str:
    metadata = folder / "service.json"
    metadata.write_text(json.dumps(_SERVICE | {"access_token_format": form}))
    said = ("client", "register", "--id", name, "--metadata", str(metadata))
    told = run(environ, "-m", "flask", "--app", "broker", *said)
    return dict(line.split(" ", 1) for line in told.splitlines() if " " in line)["client_secret"]


def run(environ: Mapping[str, str], *said: str) -> str:
    """What the program printed. Raises BenchFailed."""
    command = [sys.executable, *said]
    told = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True)  # noqa: PLW1510  judged below
    if told.returncode:
        raise BenchFailed(f"{' '.join(said)}: {told.stderr[-2000:]}")
    return told.stdout
