"""PyPI canaille as it recommends itself: `canaille run`, SQLite with its default settings."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.flows.contestant import (
    CALLBACK,
    CLIENT_ID,
    CREDENTIALS,
    FLOW,
    ROOT,
    STATIC,
    BenchFailed,
    Own,
    Served,
    answering,
    free_port,
    process,
)
from bench.flows.relying import authorization_url
from bench.flows.walk import sign_in

PROGRAM = ROOT / ".venv-bench" / "bin" / "canaille"
_SECRET = "a secret of the bench, long enough to be one"  # noqa: S105
_NAMES = ("person", "spoilt")
_PASSWORD = "correct horse battery staple 7"  # noqa: S105
_CONFIGURATION = """\
SECRET_KEY = "a key of the bench, never of anything real"
SERVER_NAME = "127.0.0.1:{port}"
PREFERRED_URL_SCHEME = "http"
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{folder}/canaille.sqlite"
[CANAILLE_OIDC]
ACTIVE_JWKS = [{keys}]
"""
_CLIENT = {
    "client-id": CLIENT_ID,
    "client-secret": _SECRET,
    "client-name": "A service of the bench",
    "redirect-uris": CALLBACK,
    "token-endpoint-auth-method": "client_secret_basic",
    "response-types": "code",
    "id-token-signed-response-alg": "ES256",
    "scope": "openid",
}


@dataclass(frozen=True)
class Canaille:
    """One person in all browsers but the last: making one takes its command line seconds."""

    browsers: int

    name = "canaille"
    operations = (FLOW, CREDENTIALS, *STATIC)

    def prepare(self, folder: Path) -> None:
        """Keys, tables, the service and its people, by its own commands."""
        keys = [_run(folder, "jwk", "create", "rsa"), _run(folder, "jwk", "create", "ec")]
        (folder / "keys").write_text(", ".join(_inline(key) for key in keys))
        _configure(folder, free_port())
        _run(folder, "install")
        grants = ("authorization_code", "client_credentials")
        said = [f"--{k}={v}" for k, v in _CLIENT.items()]
        _run(folder, "create", "client", *said, *(f"--grant-types={g}" for g in grants))
        _run(folder, "set", "client", CLIENT_ID, f"--audience={CLIENT_ID}")
        for name in _NAMES:
            said = [f"--user-name={name}", f"--password={_PASSWORD}", "--family-name=Person"]
            _run(folder, "create", "user", *said, f"--emails={name}@example.org")

    @contextmanager
    def serve(self, folder: Path) -> Iterator[Served]:
        """Served, the people signed in at its own pages."""
        port, log = free_port(), folder / "log"
        _configure(folder, port)
        command = [str(PROGRAM), "run", "--bind", f"127.0.0.1:{port}"]
        with process(command, _environ(folder), log, folder) as server:
            metadata, cold = answering(server, f"http://127.0.0.1:{port}", log)
            yield Served(
                metadata=metadata,
                cookies=[
                    *(_browser(metadata, _NAMES[0]) for _ in range(self.browsers - 1)),
                    _browser(metadata, _NAMES[1]),
                ],
                secret=_SECRET,
                servers=[server.pid],
                cold_s=cold,
                own={CREDENTIALS: Own(CLIENT_ID, _SECRET)},
            )


def _browser(metadata: Mapping[str, object], name: str) -> str:
    said = {"login": name, "password": _PASSWORD, "answer": "accept"}
    return sign_in(authorization_url(metadata), said)


def _inline(key: str) -> str:
    """The JSON Web Key as an inline table of TOML."""
    members = json.loads(key).items()
    return "{" + ", ".join(f"{name} = {json.dumps(value)}" for name, value in members) + "}"


def _configure(folder: Path, port: int) -> None:
    keys = (folder / "keys").read_text()
    text = _CONFIGURATION.format(port=port, folder=folder, keys=keys)
    (folder / "canaille.toml").write_text(text)


def _environ(folder: Path) -> dict[str, str]:
    return {**os.environ, "CANAILLE_CONFIG": str(folder / "canaille.toml")}


def _run(folder: Path, *said: str) -> str:
    command = [str(PROGRAM), *said]
    environ = _environ(folder) if (folder / "keys").exists() else dict(os.environ)
    told = subprocess.run(  # noqa: PLW1510  judged below
        command, env=environ, cwd=folder, capture_output=True, text=True
    )
    if told.returncode:
        raise BenchFailed(f"canaille {' '.join(said[:2])}: {told.stderr[-2000:]}")
    return told.stdout
