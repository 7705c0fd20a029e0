"""The one handler of errors: page, OAuth JSON or problem+json, by the door it happened at."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, g, jsonify, render_template, request
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    PendingRollbackError,
)
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from broker import entropy
from broker.errors import BrokerError, OAuthCode, OAuthError
from broker.web.bearer import DPOP_ALGORITHMS
from broker.web.messages import message
from broker.web.observing import ERROR
from broker.web.tools import tools

log = logging.getLogger("broker")

PROBLEM = "application/problem+json"
_MACHINE_DOORS = (
    "/introspect", "/revoke", "/register", "/token", "/par", "/userinfo", "/jwks", "/.well-known/",
    "/healthz", "/readyz", "/metrics",
)  # fmt: skip

_CLIENT_DOORS = frozenset({"/token", "/par", "/introspect", "/revoke"})
"""Doors where a client proves itself, not with an access token."""
_RESOURCES = ("/userinfo", "/api/")
_DPOP_CODES = frozenset({OAuthCode.INVALID_DPOP_PROOF, OAuthCode.USE_DPOP_NONCE})

_AWAY = (OperationalError, InterfaceError, InternalError, NoConnection, PendingRollbackError)
"""What a database says, or is said of it, that stops, starts, fails over, is full or read-only."""
RETRY_AFTER_S = 2
_IN_OAUTH = {"database_unavailable": OAuthCode.TEMPORARILY_UNAVAILABLE.value}

_HTTP_CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_many_bytes",
    415: "unsupported_media_type",
}


Redirected = Callable[[OAuthError], BaseResponse]
_REDIRECTED = "errors_redirected"
_WAY_BACK = "errors_way_back"


def redirect_with(redirected: Redirected) -> None:
    """From here on, redirectable errors of this request go to a proved address of the client's."""
    setattr(g, _REDIRECTED, redirected)


def offer_way_back(url: str | None, name: Mapping[str, str]) -> None:
    """If this request ends on a page of ours, it has a link to the service called `name`."""
    if url is not None:
        setattr(g, _WAY_BACK, (url, dict(name)))


def install(app: Flask) -> None:
    """Hang the handlers; whatever is not foreseen becomes a 500 with a reference number."""

    @app.errorhandler(BrokerError)
    def _foreseen(error: BrokerError) -> BaseResponse:
        request.environ[ERROR] = error.code
        redirected: Redirected | None = g.get(_REDIRECTED)
        if redirected and isinstance(error, OAuthError) and error.redirectable:
            return redirected(error)
        log.info("refused: %s at %s (%s)", error.code, request.endpoint, error.hint)
        return answer(error.code, _status(error), error.hint)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:  # noqa: PLR2004  werkzeug's own redirects
            response: Response = error.get_response()  # type: ignore[assignment]  # a werkzeug one
            return response
        unnamed = "malformed" if status < 500 else "server_error"  # noqa: PLR2004
        made = answer(_HTTP_CODES.get(status, unnamed), status)
        if status == 405 and (allow := error.get_response().headers.get("Allow")):  # noqa: PLR2004
            made.headers["Allow"] = allow
        return made

    @app.errorhandler(Exception)
    def _unforeseen(error: Exception) -> Response:
        if app.testing and not _is_away(error):
            raise error
        return _unavailable(error) if _is_away(error) else _broken(error)


def _broken(error: Exception) -> Response:
    reference = entropy.token(tools().random, bits=64)
    # The traceback may quote values that belong to a person: its text stays out of the log.
    log.error("unforeseen %s, reference %s", _place(error), reference)
    return answer("server_error", 500, reference=reference)


def _is_away(error: Exception) -> bool:
    hung_up = isinstance(error, DBAPIError) and error.connection_invalidated
    return hung_up or isinstance(error, _AWAY)


def _unavailable(error: Exception) -> Response:
    log.error("the database does not answer: %s", _place(error))
    made = answer("database_unavailable", 503)
    made.headers["Retry-After"] = str(RETRY_AFTER_S)
    return made


def _status(error: BrokerError) -> int:
    if error.code in _DPOP_CODES and request.path.startswith(_RESOURCES):
        return 401  # RFC 9449 §7.1; at the token endpoint it is 400 (§5)
    return error.http_status if isinstance(error, OAuthError) else error.status


def answer(code: str, status: int, hint: str = "", reference: str = "") -> Response:
    """The error in the form that this door's callers expect."""
    request.environ[ERROR] = code
    if request.path.startswith("/api/"):
        return _problem(code, status, hint)
    if request.path.startswith(_MACHINE_DOORS):
        return _oauth(code, status, hint)
    page = render_template(
        "error.html",
        error=message(code),
        code=code,
        status=status,
        reference=reference,
        way_back=g.get(_WAY_BACK),
    )
    return Response(page, status, mimetype="text/html")


def _oauth(code: str, status: int, hint: str) -> Response:
    code = _IN_OAUTH.get(code, code)
    known = code if code in set(OAuthCode) else _nearest(status)
    body: dict[str, Any] = {"error": known}
    if hint and code in set(OAuthCode):
        body["error_description"] = _plain(hint)
    response = jsonify(body)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    if status in {401, 403} or (request.path == "/userinfo" and known == "invalid_request"):
        response.headers["WWW-Authenticate"] = _challenge(known, hint)
    return response


def _nearest(status: int) -> str:
    return "server_error" if status >= 500 else "invalid_request"  # noqa: PLR2004


def _challenge(code: str, hint: str) -> str:
    if request.path in _CLIENT_DOORS:
        return 'Basic realm="miftah", charset="UTF-8"'
    if "Authorization" not in request.headers and "access_token" not in request.form:
        return 'Bearer realm="miftah"'  # RFC 6750 §3.1: no error code without authentication
    told = f'realm="miftah", error="{code}", error_description="{_plain(hint)}"'
    if code in _DPOP_CODES or request.headers.get("Authorization", "").lower().startswith("dpop "):
        return f'DPoP {told}, algs="{" ".join(DPOP_ALGORITHMS)}"'  # RFC 9449 §7.1
    return f"Bearer {told}"


def _plain(hint: str) -> str:
    # RFC 6749 §5.2, RFC 6750 §3: printable ASCII without quotation mark and backslash.
    return re.sub(r"[^\x20\x21\x23-\x5b\x5d-\x7e]", "?", hint)


def _problem(code: str, status: int, hint: str) -> Response:
    body = {
        "type": f"{tools().settings.issuer}/problems/{code}",
        "title": message(code).what,
        "status": status,
        "detail": hint or message(code).advice,
    }
    response = jsonify(body)
    response.status_code, response.mimetype = status, PROBLEM
    if status in {401, 403} and code in set(OAuthCode):
        response.headers["WWW-Authenticate"] = _challenge(code, hint)
    return response


def _place(error: Exception) -> str:
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' < '.join(reversed(frames[-4:]))}"
