"""An application that tells what a server made of a request, for the tests of servers."""

import json
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app() -> Application:
    """/told: what arrived; /slow?SECONDS: after a while; else the process that answers.

    What is posted is read to its end first.
    """

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "POST":
            environ["wsgi.input"].read()
        if path == "/slow":
            time.sleep(float(environ["QUERY_STRING"]))
        if path == "/told":
            told = {k: v for k, v in environ.items() if k.isupper() and k not in os.environ}
            body = json.dumps(told).encode()
        else:
            body = str(os.getpid()).encode()
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return application
