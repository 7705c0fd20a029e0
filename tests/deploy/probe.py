"""An application that tells what a server made of a request, for the tests of servers."""

import json
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from broker.verifiers.mrz.worker import Bounds, Worker

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app() -> Application:
    """/told: what arrived; /slow?SECONDS: after a while; else the process that answers.

    /busy?SECONDS: after a while of computing. /read: the process that has read the picture that was
    posted. What is posted is read to its end first.
    """
    reader = Worker("tests.verifiers.mrz.readers:size", Bounds(opening=20))

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        posted = environ["wsgi.input"].read() if environ["REQUEST_METHOD"] == "POST" else b""
        if path == "/slow":
            time.sleep(float(environ["QUERY_STRING"]))
        if path == "/busy":
            compute(float(environ["QUERY_STRING"]))
        if path == "/read":
            reader((posted,))
            body = str(reader.process_id).encode()
        elif path == "/told":
            told = {k: v for k, v in environ.items() if k.isupper() and k not in os.environ}
            body = json.dumps(told).encode()
        else:
            body = str(os.getpid()).encode()
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return application


def compute(seconds: float) -> None:
    """Use as much of a processor as there is to be had."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
