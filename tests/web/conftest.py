"""Doors of every kind, hung into the real application for the shell's tests."""

from collections.abc import Iterator

import pytest
from flask import Flask, render_template_string, request
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError, ProgrammingError
from werkzeug.test import TestResponse

from broker.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    OAuthCode,
    OAuthError,
    TooLarge,
    TooMany,
    UpstreamUnavailable,
)
from broker.web import csrf
from tests.conftest import ISSUER

_TOLD: tuple[str, dict[str, object], Exception] = (
    "SELECT 'Fatima Zahra'",
    {},
    Exception("server closed the connection"),
)

REFUSALS: dict[str, Exception] = {
    "away": OperationalError(*_TOLD),
    "misspelt": ProgrammingError(*_TOLD),
    "not_allowed": NotAllowed("sign_in_again", "a hint"),
    "not_found": NotFound("evidence_unknown"),
    "conflict": Conflict("interaction_over"),
    "too_large": TooLarge("too_many_bytes"),
    "too_many": TooMany("too_many_attempts"),
    "upstream": UpstreamUnavailable("server_error"),
    "client": OAuthError(OAuthCode.INVALID_CLIENT, "who are you"),
    "token": OAuthError(OAuthCode.INVALID_TOKEN, "worn out"),
    "scope": OAuthError(OAuthCode.INSUFFICIENT_SCOPE, "not that"),
    "quoting": OAuthError(OAuthCode.INVALID_TOKEN, 'a "quoted"\r\nX-Evil: \\hint é'),
}

FORM = "<form method='post'>{% from 'macros.html' import csrf_field %}{{ csrf_field() }}</form>"


def _refuse(why: str) -> str:
    raise REFUSALS[why]


def _break() -> str:
    name = "Fatima Zahra"
    raise RuntimeError(f"no such person: {name}")


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    """The application with some doors more; errors are answered as in production."""
    for prefix in ("/page", "/api/test", "/token/test", "/userinfo/test"):
        name = prefix.strip("/").replace("/", "_")
        app.add_url_rule(f"{prefix}/<why>", f"{name}_refuse", _refuse, methods=["GET", "POST"])
        csrf.exempt(f"{name}_refuse")
        app.add_url_rule(f"{prefix}/broken", f"{name}_break", _break)
    app.add_url_rule("/form", "form", lambda: render_template_string(FORM))
    app.add_url_rule("/sent", "sent", lambda: request.form.get("said", ""), methods=["POST"])
    app.testing = False
    yield app
    app.testing = True


def see(client: FlaskClient, path: str, language: str = "en", **said: str) -> TestResponse:
    """The page, by https, in this language."""
    headers = {"Accept-Language": language, **said}
    return client.get(path, base_url=ISSUER, headers=headers)
