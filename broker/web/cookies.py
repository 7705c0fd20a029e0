"""The two cookies: one names this browser, one carries the session; and the language choice."""

import hashlib
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from broker import entropy
from broker.web.tools import tools

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BROWSER, SESSION, LANGUAGE = "miftah_browser", "miftah_session", "miftah_language"
_PENDING = "pending_cookies"


def name_of(cookie: str) -> str:
    """The cookie's name on the wire: `__Host-` by https (RFC 6265bis §4.1.3.2)."""
    return f"__Host-{cookie}" if tools().settings.secure else cookie


def read(cookie: str) -> str | None:
    """The cookie's value as set in this very request, or as the browser sent it."""
    pending: dict[str, str] = g.get(_PENDING, {})
    if cookie in pending:
        return pending[cookie] or None
    return request.cookies.get(name_of(cookie))


def sent(environ: "WSGIEnvironment", cookie: str) -> str | None:
    """The cookie's value as this request brings it; `read` is for whoever may have set one too."""
    wanted = name_of(cookie)
    for pair in environ.get("HTTP_COOKIE", "").split(";"):
        name, _, value = pair.partition("=")
        if name.strip() == wanted:
            return str(value.strip())
    return None


def write(cookie: str, value: str) -> None:
    """Send the cookie with the answer; an empty value removes it."""
    g.setdefault(_PENDING, {})[cookie] = value


def forget() -> None:
    """Send none with this answer, whatever was written."""
    g.pop(_PENDING, None)


def browser() -> str:
    """The unguessable name of this browser, given to it on its first page."""
    name = read(BROWSER)
    if name is None or not 20 <= len(name) <= 64:  # noqa: PLR2004  256 bits in base64url are 43
        name = entropy.token(tools().random)
        write(BROWSER, name)
    return name


def digest(value: str) -> bytes:
    """SHA-256 of a high-entropy secret: what is stored in its place."""
    return hashlib.sha256(value.encode()).digest()


def install(app: Flask) -> None:
    """Send the cookies written during a request."""

    @app.after_request
    def _send(response: Response) -> Response:
        pending: dict[str, str] = g.get(_PENDING, {})
        for cookie, value in pending.items():
            name, secure = name_of(cookie), tools().settings.secure
            if value:
                # Lax, not Strict: the person arrives here by a link from a relying service.
                response.set_cookie(
                    name,
                    value,
                    secure=secure,
                    httponly=True,
                    samesite="Lax",
                    max_age=31_536_000 if cookie == LANGUAGE else None,
                )
            else:
                response.delete_cookie(name, secure=secure, httponly=True, samesite="Lax")
        return response
