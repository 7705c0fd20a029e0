"""Documents for everybody: written once for as long as what they are made from stays the same."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, request

from broker import jose, serving
from broker.brief import NotBrief
from broker.feature import metadata_of
from broker.oidc.discovery import metadata, of_clients, of_encryption, of_requests
from broker.web.headers import TO_EVERYONE
from broker.web.lane import Answer, Door
from broker.web.locale import LANGUAGES
from broker.web.tools import Tools, tools

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

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
"""Path → document."""

_KEPT = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class _Held:
    """A document made from `ground`, good for as long as that is the same."""

    ground: Ground
    tag: str
    answer: Answer


def answer(name: str) -> Response:
    """The document; 304 where the caller has it (RFC 9110 §13.1.2)."""
    held = _held(name)
    response = Response(held.answer.body, mimetype="application/json")
    response.headers["ETag"] = held.tag
    response.headers["Cache-Control"] = _KEPT
    if "If-None-Match" in request.headers:
        response.make_conditional(request)
    return response


def door(name: str) -> Door:
    """The same, to whoever asks for nothing but the document."""

    def published(environ: "WSGIEnvironment") -> Answer:
        if environ.get("QUERY_STRING") or "HTTP_IF_NONE_MATCH" in environ:
            raise NotBrief("not bare")
        return _held(name).answer

    return published


def _held(name: str) -> _Held:
    kept: dict[str, _Held] = serving.extensions().setdefault("published", {})
    ground_of, make = DOCUMENTS[name]
    found, ground = kept.get(name), ground_of(tools())
    if found is None or found.ground != ground:
        found = kept[name] = _made(ground, json.dumps(make(), separators=(",", ":")).encode())
    return found


def _made(ground: Ground, body: bytes) -> _Held:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    head = (
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("ETag", tag),
        ("Cache-Control", _KEPT),
        *TO_EVERYONE,
    )
    return _Held(ground, tag, Answer("200 OK", head, body, kept=True))
