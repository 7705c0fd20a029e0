"""Miftah: a federated identity broker, an OpenID Provider that says how sure it is and why."""

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

_GARBAGE = 10_000
"""New objects from which on it is worth looking for garbage; the interpreter's own is 700."""


def create_app() -> "Flask":
    """The WSGI application with production tools; what `flask --app broker` and servers call."""
    # What the start makes stays: looking through it for garbage takes a third of the start, and
    # again and again a tenth of every request. Frozen before a fork, the workers share it.
    gc.disable()
    try:
        # Imported late so that `import broker.errors` does not drag the whole house in.
        from broker.app import create_app as build  # noqa: PLC0415

        app = build()
        gc.freeze()
        gc.set_threshold(_GARBAGE, 10, 10)
    finally:
        gc.enable()
    return app
