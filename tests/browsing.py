"""Real Chromium, and applications served to it on this machine."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from flask import Flask
from playwright.sync_api import Locator
from werkzeug.serving import make_server

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARTEFACTS = Path(__file__).parent.parent / "artefacts"

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def follow(onward: Locator, timeout_ms: int = 30_000) -> None:
    """Presses what leads to another page, and returns once that page is loaded.

    A bare `click()` does not wait: what is looked at next may still be the page before.
    """
    with onward.page.expect_navigation(timeout=timeout_ms):
        onward.click()


@contextmanager
def serve(build: Callable[[str], Flask], host: str = "localhost") -> Iterator[str]:
    """The origin at which the application is served that `build(origin)` makes.

    Two of them are two sites, whose cookies are kept apart, where their hosts differ.
    """
    server = make_server(host, 0, lambda *_: [], threaded=True)
    origin = f"http://{host}:{server.server_port}"
    server.app = build(origin)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
