"""Security headers of every answer (OWASP Secure Headers; CSP Level 3)."""

from flask import Flask, Response, g

from broker.web.tools import tools

_TARGETS = "form_targets"

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}


def allow_form_target(origin: str) -> None:
    """A form of this page may end, by redirects, at `origin`.

    Browsers apply form-action to the whole redirect chain, and the chain of the last form on
    the way to a code ends at the relying service.
    """
    g.setdefault(_TARGETS, set()).add(origin)


def install(app: Flask) -> None:
    """Add the headers to every answer; pages are never stored by caches unless they say so."""

    @app.after_request
    def _add(response: Response) -> Response:
        for name, value in _FIXED.items():
            response.headers.setdefault(name, value)
        if tools().settings.secure:
            response.headers.setdefault(
                "Strict-Transport-Security", "max-age=63072000; includeSubDomains"
            )
        response.headers.setdefault("Content-Security-Policy", _policy())
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _policy() -> str:
    targets = " ".join(("'self'", *sorted(g.get(_TARGETS, set()))))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self'; form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )
