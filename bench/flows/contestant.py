"""What the bench knows of a provider: how it is made ready, served, and asked."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

import requests

ROOT = Path(__file__).resolve().parents[2]
CALLBACK = "https://service.example/callback"
CLIENT_ID = "bench"
DISCOVERY = "/.well-known/openid-configuration"

FLOW = "flow"
CREDENTIALS = "client_credentials"
CREDENTIALS_JWT = "client_credentials_jwt"
INTROSPECTION = "introspection"
STATIC = ("discovery", "jwks")
ISSUING = (FLOW, CREDENTIALS, CREDENTIALS_JWT, INTROSPECTION)
"""Those that ask the database; the others are measured once a provider."""
OPERATIONS = (*ISSUING, *STATIC)


class BenchFailed(Exception):
    """A provider did not do what it was asked; nothing measured of it is worth anything."""


@dataclass(frozen=True)
class Served:
    """A provider that answers: its processes, its doors, and who is signed in.

    `servers` are the roots of what serves; `helpers` of what stands beside and is counted too.
    `cookies` are Cookie headers of browsers, each with a person signed in who has agreed; the
    last one is for what may spoil a session. `own` is how a client asks for its own token, by
    operation.
    """

    metadata: Mapping[str, Any]
    cookies: Sequence[str]
    secret: str
    servers: Sequence[int]
    helpers: Sequence[int] = ()
    cold_s: float = 0.0
    own: Mapping[str, "Own"] = field(default_factory=dict)


@dataclass(frozen=True)
class Own:
    """A client that speaks for itself, and what it adds to its request."""

    client_id: str
    secret: str
    form: Mapping[str, str] = field(default_factory=dict)


class Contestant(Protocol):
    """A provider to be measured."""

    @property
    def name(self) -> str:
        """What it is called in the table."""

    @property
    def operations(self) -> Sequence[str]:
        """Those of OPERATIONS that it is asked for."""

    def prepare(self, folder: Path) -> None:
        """Make keys, tables and clients in an empty folder, once."""

    def serve(self, folder: Path) -> AbstractContextManager[Served]:
        """The provider, served from the folder for a round."""


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(
    command: Sequence[str], environ: Mapping[str, str], log: Path, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended with the block; what it says goes into the log."""
    with log.open("ab") as out, _popen(command, environ, out, cwd) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()


def _popen(
    command: Sequence[str], environ: Mapping[str, str], out: IO[bytes], cwd: Path
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environ, stdout=out, stderr=out, cwd=cwd)


def answering(
    server: subprocess.Popen[bytes], issuer: str, log: Path
) -> tuple[dict[str, Any], float]:
    """The discovery document, and the seconds from now until it came. Raises BenchFailed."""
    began, port = time.perf_counter(), int(issuer.rpartition(":")[2])
    while (waited := time.perf_counter() - began) < 60:
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found: dict[str, Any] = requests.get(issuer + DISCOVERY, timeout=30).json()
                return found, time.perf_counter() - began
        time.sleep(0.005)
    raise BenchFailed(
        f"no answer after {waited:.0f} s; the end of {log}:\n{log.read_text()[-2000:]}"
    )
