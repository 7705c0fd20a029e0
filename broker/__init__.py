"""Miftah: a federated identity broker, an OpenID Provider that says how sure it is and why."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """The WSGI application with production tools; what `flask --app broker` and servers call."""
    # Imported late so that `import broker.errors` does not drag the whole house in.
    from broker.app import create_app as build  # noqa: PLC0415

    return build()
