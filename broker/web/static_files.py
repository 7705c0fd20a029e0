"""Static files: served with the digest of their content in the URL, cacheable for ever."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for
from werkzeug.security import safe_join

YEAR = 31_536_000


def install(app: Flask) -> None:
    """Give templates `static_url(file)`; long caching where the URL names the content."""
    app.jinja_env.globals["static_url"] = static_url

    @app.after_request
    def _cache(response: Response) -> Response:
        if (request.endpoint or "").endswith("static") and "v" in request.args:
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        return response


def static_url(file: str, room: str = "") -> str:
    """The URL of a room's static file, the shell's own where no room is named."""
    owner = current_app.blueprints[room] if room else current_app
    path = safe_join(str(owner.static_folder), file)
    return url_for(f"{room}.static" if room else "static", filename=file, v=_digest(str(path)))


@cache
def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
