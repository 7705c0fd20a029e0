"""Serve a WSGI application with granian: `python deploy/serve.py broker:create_app`.

The one place where the shipped server's numbers stand. What must not be guessed about a
request's size is in `bounded`; bodies are bounded by the application (broker.app.REQUEST_LIMIT),
and slow senders by the proxy in front (deploy/nginx), which hands over whole requests only.
"""

import argparse
import multiprocessing
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

WORKERS: Final = int(os.environ.get("WORKERS") or os.cpu_count() or 2)
"""Processes. Python computes on one core a process, and nothing is shared but the database."""

THREADS: Final = int(os.environ.get("THREADS") or "12")
"""Requests that a process works at. Most of a request's time is waiting for the database's disk,
so commits of several overlap; eight at most wait for pictures to be read
(broker.verifiers.mrz.worker.Bounds.waiting), and the others go on answering. Each may hold one
connection to the database."""

PROCESSORS: Final = os.environ.get("PROCESSORS") or "one"
"""`one`: each worker keeps to one processor, as long as others leave it one, and so finds its
caches warm (broker/processors.py). `all`: the kernel chooses anew each time, as it does anyhow
where there are more workers than processors."""

LINE_BYTES: Final = 8190
"""Of a request's path and query: what an authorization request may need, and no more."""
HEAD_BYTES: Final = 32 * 1024
"""From which on a head that is still incomplete is refused (431): line, fields and all. More than
a hundred fields are refused by the parser itself."""

HEAD_MS: Final = 30_000
"""To send a whole head, and how long an idle connection is kept. The proxy closes its own sooner
(keepalive_timeout in deploy/nginx), or it would send a request into a closing connection."""
STOPPING_S: Final = 30
"""What requests in progress have when a worker is asked to stop or to be replaced."""
STARTING_S: Final = 5.0
"""For a new worker to load the application, before the one that it replaces is asked to stop."""
RESIDENT_MB: Final = 512
"""A worker that has grown past it is replaced, as by SIGHUP: one by one, without a refusal."""

LEAVING_S: Final = 5.0
"""How long a start waits for the port."""

LOOKING_S: Final = 1.0
"""Between two looks of a worker: is its parent still there, who uses its processor."""


def main() -> None:
    """Serve until SIGTERM or SIGINT; on SIGHUP replace the workers one after another."""
    asked = _arguments()
    host, _, port = asked.bind.rpartition(":")
    _refuse_a_shared_port(host, int(port))
    server = Granian(
        asked.application,
        address=socket.gethostbyname(host),
        port=int(port),
        interface=Interfaces.WSGI,
        workers=asked.workers,
        blocking_threads=asked.threads,
        http=HTTPModes.http1,  # the proxy speaks it; HTTP/2 would be another parser to trust
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MS, max_buffer_size=HEAD_BYTES),
        # Its warnings are about numbers that are explained above.
        log_level=LogLevels.error,
        log_access=False,  # request lines hold codes and handles
        respawn_failed_workers=True,
        respawn_interval=STARTING_S,
        workers_kill_timeout=STOPPING_S,
        workers_max_rss=RESIDENT_MB,
    )
    keeps = asked.processors == "one" and asked.workers <= _processors()
    server.serve(target_loader=partial(loaded, keeps_to_one=keeps))


@dataclass(frozen=True)
class bounded:  # noqa: N801  reads as what it does
    """The application, asked only what is small enough; else 414 (RFC 9110 §15.5.15)."""

    application: Application

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """The application's answer, or a refusal without a body."""
        if len(environ["PATH_INFO"]) + len(environ["QUERY_STRING"]) > LINE_BYTES:
            start("414 URI Too Long", [("Content-Length", "0"), ("Cache-Control", "no-store")])
            return [b""]
        return self.application(environ, start)


def loaded(target: str, *, keeps_to_one: bool = False) -> Application:
    """The application that the factory `module:function` makes, in a worker's process."""
    sys.path.insert(0, "")
    _look_around(keeps_to_one=keeps_to_one)
    module, _, factory = target.partition(":")
    made: Application = getattr(import_module(module), factory)()
    return bounded(made)


def _look_around(*, keeps_to_one: bool) -> None:
    from broker import processors  # noqa: PLC0415  workers only, who know by now where it lies

    ended, kept = _parent_ended(), processors.keep_to_one(random.random)

    def watch() -> None:
        while True:
            time.sleep(LOOKING_S)
            if ended():
                os.kill(os.getpid(), signal.SIGTERM)
            if keeps_to_one:
                next(kept, None)

    threading.Thread(target=watch, daemon=True).start()


def _parent_ended() -> Callable[[], bool]:
    # A worker whose parent was killed would keep its share of the port, and the old code, for ever.
    # Looked for again and again: a signal that comes while a worker starts may be lost.
    parent = multiprocessing.parent_process()
    born_of = parent.pid if parent else os.getppid()
    return lambda: os.getppid() != born_of


def _processors() -> int:
    """How many this process may use."""
    may: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(may(0)) if may else 1


def _refuse_a_shared_port(host: str, port: int) -> None:
    # Workers share theirs by SO_REUSEPORT, so a second server would silently join the first. Those
    # of a server that was killed a moment ago may take another to end.
    end = time.monotonic() + LEAVING_S
    while error := _taken(host, port):
        if time.monotonic() > end:
            sys.exit(f"{host}:{port}: {error}")
        time.sleep(0.1)


def _taken(host: str, port: int) -> str | None:
    """Why nobody could listen there alone, or None."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror
    return None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("application", help="factory of the WSGI application, module:function")
    parser.add_argument("--bind", default="127.0.0.1:8000", help="host:port")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--processors", choices=("one", "all"), default=PROCESSORS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
