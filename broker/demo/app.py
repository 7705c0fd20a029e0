"""« Télédéclaration — démonstration »: a relying service in front of Miftah.

A WSGI program of its own: a stock OpenID Connect client (Authlib's for Flask) signs people in,
`guard` verifies the ID token a second time, and `pages` says which act needs which `acr`.
"""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, g, request

from broker.demo.pages import Demo, pages
from broker.demo.texts import LANGUAGES, TEXTS

SCOPE = "openid profile assurance"


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """The demonstration; DEMO_ISSUER, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_COOKIE_KEY."""
    app = Flask(__name__, template_folder="templates", static_folder="static")
    issuer = environ.get("DEMO_ISSUER", "http://localhost:8000")
    app.config.update(
        SECRET_KEY=environ["DEMO_COOKIE_KEY"],
        SESSION_COOKIE_NAME="demo_session",  # cookies of localhost are shared by all ports
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        ISSUER=issuer,
    )
    oauth = OAuth(app)
    oauth.register(
        "miftah",
        client_id=environ["DEMO_CLIENT_ID"],
        client_secret=environ["DEMO_CLIENT_SECRET"],
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
    )
    app.extensions["demo"] = Demo(issuer, oauth.miftah, visitors={})
    app.register_blueprint(pages)
    _language(app)
    _headers(app)
    return app


def _language(app: Flask) -> None:
    @app.before_request
    def _choose() -> None:
        asked = request.args.get("lang", "") or request.cookies.get("demo_lang", "")
        browser = request.accept_languages.best_match(list(LANGUAGES)) or "fr"
        g.language = asked if asked in LANGUAGES else browser

    @app.after_request
    def _remember(response: Response) -> Response:
        if request.args.get("lang") == g.language:
            response.set_cookie("demo_lang", g.language, samesite="Lax", httponly=True)
        return response

    @app.context_processor
    def _texts() -> dict[str, Any]:
        return {
            "t": partial(_text, g.language),
            "language": g.language,
            "languages": LANGUAGES,
            "direction": "rtl" if g.language == "ar" else "ltr",
            "issuer": app.config["ISSUER"],
        }


def _text(language: str, name: str) -> str:
    return TEXTS[name][language]


def _headers(app: Flask) -> None:
    @app.after_request
    def _add(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response
