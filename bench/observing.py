"""What observing costs a request, in microseconds of CPU: `python bench/observing.py`."""

import logging
import tempfile
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path
from time import process_time
from typing import Any

from broker import clock, entropy
from broker.measuring.catalogue import LOGINS, TOKENS
from broker.measuring.meter import SILENT, Meter
from broker.measuring.shared import SharedMeter
from broker.web import logs
from broker.web.observing import ERROR, ROUTE, measure, named, observed

ROUNDS, TURNS = 9, 20_000
HEADERS = [("Content-Type", "application/json"), ("Content-Length", "2")]


def bare(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """An application that does nothing."""
    environ[ROUTE], environ[ERROR] = "/token", ""
    start_response("200 OK", HEADERS[:])
    return (b"{}",)


def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
    """A server that does nothing."""


def once(serve: Any) -> Callable[[], object]:
    return lambda: serve({"REQUEST_METHOD": "POST"}, start)


def cost(deed: Callable[[], object]) -> float:
    """Microseconds a turn, the best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = process_time()
        for _ in range(TURNS):
            deed()
        best = min(best, process_time() - began)
    return best / TURNS * 1e6


def counted(meter: Meter) -> Callable[[], object]:
    return lambda: meter.count(LOGINS, "other", "accepted")


def timed(meter: Meter) -> Callable[[], object]:
    return lambda: meter.observe(TOKENS, 0.002, "authorization_code")


def main() -> None:
    """The table."""
    with tempfile.TemporaryDirectory() as folder:
        meter = SharedMeter(Path(folder), clock.utcnow, entropy.system)
        meter.know({"routes": lambda: {"/token"}})
        logs.install(StringIO())
        logging.getLogger("broker").setLevel(logging.INFO)
        nothing = cost(once(bare))
        number = named(bare, entropy.system, believed=False)
        tellers = {"metrics": (measure(meter),), "JSON lines": (logs.tell,)}
        print(f"{'a request with everything off':40} {cost(once(number)) - nothing:6.2f} µs")
        for name, tell in tellers.items():
            whole = named(observed(bare, tell), entropy.system, believed=False)
            print(f"{'a request with ' + name:40} {cost(once(whole)) - nothing:6.2f} µs")
        for name, deed in (("count", counted), ("observe", timed)):
            print(f"{name + ', metrics off':40} {cost(deed(SILENT)):6.2f} µs")
            print(f"{name + ', metrics on':40} {cost(deed(meter)):6.2f} µs")


if __name__ == "__main__":
    main()
