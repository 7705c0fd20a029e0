"""Which application serves this thread, known without Flask's proxies."""

from contextvars import ContextVar, Token
from typing import Any

from flask import Flask, current_app

_AT_WORK: ContextVar[dict[str, Any] | None] = ContextVar("broker_at_work", default=None)


class by:  # noqa: N801  reads as what it does
    """While it lasts, this application serves: Flask need not be asked, and need not be there."""

    __slots__ = ("_before", "_held")

    def __init__(self, app: Flask) -> None:
        """`app` serves."""
        self._held = app.extensions
        self._before: Token[dict[str, Any] | None]

    def __enter__(self) -> None:
        """It serves from here on."""
        self._before = _AT_WORK.set(self._held)

    def __exit__(self, *_: object) -> None:
        """Whoever served before serves again."""
        _AT_WORK.reset(self._before)


def extensions() -> dict[str, Any]:
    """What was hung on the application that serves; Flask's own where nobody said which it is."""
    held = _AT_WORK.get()
    return current_app.extensions if held is None else held
