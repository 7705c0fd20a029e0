"""Security headers of every answer (OWASP Secure Headers; CSP Level 3)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, g

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_TARGETS = "form_targets"

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}

TO_EVERYONE = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce"),
)
"""Of doors that scripts of any origin may call: none of them looks at a cookie (Fetch §3.2)."""

_BY_HTTPS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}


def allow_form_target(origin: str) -> None:
    """A form of this page may end, by redirects, at `origin`.

    Browsers apply form-action to the whole redirect chain, and the chain of the last form on
    the way to a code ends at the relying service.
    """
    g.setdefault(_TARGETS, set()).add(origin)


def always(app: Flask) -> tuple[tuple[str, str], ...]:
    """What stands in every answer that is no page, `Cache-Control` apart."""
    return (*_fixed(app), ("Content-Security-Policy", _CSP.format("'self'")))


NO_STORE = ("Cache-Control", "no-store")
"""In every answer that says nothing else about caches."""


def install(app: Flask) -> None:
    """Add the headers to every answer; pages are never stored by caches unless they say so."""
    fixed = _fixed(app)
    inner = app.wsgi_app

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, said: list[tuple[str, str]], *error: Any) -> Any:
            names = {name.lower() for name, _ in said}
            said += [pair for pair in fixed if pair[0].lower() not in names]
            if "content-security-policy" not in names:
                said.append(("Content-Security-Policy", _policy()))
            if "cache-control" not in names:
                said.append(NO_STORE)
            return start_response(status, said, *error)

        return inner(environ, start)

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]  # as Flask would have it done


def _fixed(app: Flask) -> tuple[tuple[str, str], ...]:
    secure = app.extensions["broker"].settings.secure
    return (*_FIXED.items(), *(_BY_HTTPS.items() if secure else ()))


def _policy() -> str:
    if _TARGETS not in g:
        return _CSP.format("'self'")
    return _CSP.format(" ".join(("'self'", *sorted(g.get(_TARGETS)))))


_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action {}; frame-ancestors 'none'; base-uri 'none'"
)
