"""Form tokens: every POST from a page of ours carries proof that our page made it."""

import hashlib
import hmac

from flask import Flask, request

from broker.errors import NotAllowed
from broker.web import cookies
from broker.web.tools import tools

FIELD = "csrf_token"
_exempt: set[str] = set()


def exempt(endpoint: str) -> None:
    """`endpoint` is a door for machines or for other sites' forms: no form token is expected."""
    _exempt.add(endpoint)


def form_token() -> str:
    """The token of this browser: a MAC of its cookie, so nothing need be stored."""
    key = tools().keyring.browser
    return hmac.new(key, b"form:" + cookies.browser().encode(), hashlib.sha256).hexdigest()


def install(app: Flask) -> None:
    """Check the token of every POST before its view runs."""
    app.jinja_env.globals["form_token"] = form_token

    @app.before_request
    def _check() -> None:
        if request.method in {"GET", "HEAD", "OPTIONS"} or request.endpoint in _exempt:
            return
        if request.endpoint is None:  # a 404 or 405 is on its way
            return
        given = request.form.get(FIELD, "")
        if not hmac.compare_digest(given.encode(), form_token().encode()):
            raise NotAllowed("form_expired", "form token does not match the browser")
