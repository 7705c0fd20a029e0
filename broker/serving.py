"""Which application serves this thread, known without Flask's proxies."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask, current_app

_AT_WORK: ContextVar[dict[str, Any] | None] = ContextVar("broker_at_work", default=None)


@contextmanager
def by(app: Flask) -> Iterator[None]:
    """While it lasts, this application serves: Flask need not be asked, and need not be there."""
    before = _AT_WORK.set(app.extensions)
    try:
        yield
    finally:
        _AT_WORK.reset(before)


def extensions() -> dict[str, Any]:
    """What was hung on the application that serves; Flask's own where nobody said which it is."""
    held = _AT_WORK.get()
    return current_app.extensions if held is None else held
