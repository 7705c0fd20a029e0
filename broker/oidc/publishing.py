"""Documents for everybody: written once for as long as what they are made from stays the same.

The fast lane in front of Flask serves what DOORS names and nothing else. It gives again, byte for
byte, what the plain path answered to the same bare GET; these doors have no limits and leave
nothing in the record, so there is nothing else to apply.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, current_app, request

from broker import jose
from broker.feature import metadata_of
from broker.oidc.discovery import metadata, of_clients, of_encryption, of_requests
from broker.web.locale import LANGUAGES
from broker.web.tools import Tools, tools

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Ground = tuple[object, ...]
"""Frozen values: all that a document is made from and that may change while we run."""


def _ground_of_metadata(tools: Tools) -> Ground:
    return tools, tools.keyring.algorithms(tools.clock()), tools.foreign


def _ground_of_keys(tools: Tools) -> Ground:
    return tools, tools.keyring.signing


def _metadata() -> Mapping[str, Any]:
    app, issuer = tools(), tools().settings.issuer
    signing = app.keyring.algorithms(app.clock())
    document = metadata(issuer, app.policy, list(LANGUAGES), signing)
    document |= of_requests(issuer, signing) | of_encryption() | of_clients(app.settings)
    return document | metadata_of(app.features)


def _keys() -> Mapping[str, Any]:
    return jose.jwks(tools().keyring)


DOCUMENTS: Mapping[str, tuple[Callable[[Tools], Ground], Callable[[], Mapping[str, Any]]]] = {
    "metadata": (_ground_of_metadata, _metadata),
    "keys": (_ground_of_keys, _keys),
}
"""Name → what it is made from, and how."""

DOORS: Mapping[str, str] = {
    "/.well-known/openid-configuration": "metadata",
    "/.well-known/oauth-authorization-server": "metadata",
    "/jwks": "keys",
}
"""Path → document: all that the fast lane serves."""


@dataclass(frozen=True, slots=True)
class _Held:
    """Something made from `ground`, good for as long as that is the same."""

    ground: Ground
    body: bytes
    tag: str = ""
    status: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def answer(name: str) -> Response:
    """The document; 304 where the caller has it (RFC 9110 §13.1.2)."""
    ground_of, make = DOCUMENTS[name]
    kept: dict[str, _Held] = current_app.extensions.setdefault("published", {})
    found, ground = kept.get(name), ground_of(tools())
    if found is None or found.ground != ground:
        body = json.dumps(make(), separators=(",", ":")).encode()
        found = kept[name] = _Held(ground, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    response = Response(found.body, mimetype="application/json")
    response.headers["ETag"] = found.tag
    response.headers["Cache-Control"] = "public, max-age=300"
    if "If-None-Match" in request.headers:
        response.make_conditional(request)
    return response


def install(app: Flask) -> None:
    """Put the fast lane in front of all that was hung before."""
    plain, heard = app.wsgi_app, dict[str, _Held]()

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path not in DOORS or not _is_bare(environ):
            return plain(environ, start_response)
        ground = DOCUMENTS[DOORS[path]][0](app.extensions["broker"])
        held = heard.get(path)
        if held is None or held.ground != ground:
            held = _hear(plain, environ, ground)
            if held.status == "200 OK":
                heard[path] = held
        environ["broker.route"] = path  # for whoever counts requests: Flask never hears of this one
        start_response(held.status, list(held.headers))
        return [held.body]

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]  # as Flask would have it done


def _is_bare(environ: "WSGIEnvironment") -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and not environ.get("QUERY_STRING")
        and "HTTP_IF_NONE_MATCH" not in environ
    )


def _hear(plain: Any, environ: "WSGIEnvironment", ground: Ground) -> _Held:
    """What the plain path answers."""
    said: list[tuple[str, tuple[tuple[str, str], ...]]] = []

    def start(status: str, headers: list[tuple[str, str]], *_error: Any) -> None:
        said.append((status, tuple(headers)))

    body = plain(environ, start)
    try:
        whole = b"".join(body)
    finally:
        body.close()
    return _Held(ground, whole, "", *said[-1])
