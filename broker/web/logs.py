"""The log as JSON, an object a line on stderr; nobody's words but our own are in it."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from flask import has_request_context, request

from broker.web.observing import REQUEST_ID, Seen

_HOUSE = "broker"
_requests = logging.getLogger("broker.requests")


class Lines(logging.Formatter):
    """Makes a record an object of one line.

    What a library says may quote a value of somebody: of theirs only the place is told. No
    traceback is ever written, ours neither (`broker.web.errors` says where a failure arose).
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        seen: Seen | None = getattr(record, "seen", None)
        if seen is not None:
            told |= _of(seen)
        elif has_request_context():
            told["request_id"] = request.environ.get(REQUEST_ID, "")
        if record.exc_info and record.exc_info[0]:
            told["error"] = record.exc_info[0].__name__
        return json.dumps(told)  # ASCII: U+2028 would end a line for some readers


def tell(seen: Seen) -> None:
    """A line for this request."""
    _requests.info("request", extra={"seen": seen})


def install(stream: TextIO | None = None) -> logging.Handler:
    """Write all of this process's log as JSON, to stderr unless told otherwise."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_HOUSE).setLevel(logging.INFO)
    return handler


def _message(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] == _HOUSE:
        return record.getMessage()
    return f"at {record.module}:{record.lineno}"


def _of(seen: Seen) -> dict[str, object]:
    told: dict[str, object] = {
        "request_id": seen.request_id,
        "method": seen.method,
        "route": seen.route,
        "status": int(seen.status),
        "ms": round(seen.seconds * 1000, 3),
    }
    return told | ({"code": seen.code} if seen.code else {})
