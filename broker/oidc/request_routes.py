"""The doors that requests come in by: /authorize and, before their person, /par."""

from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from broker import jose
from broker.db import reading, transaction
from broker.errors import OAuthCode, OAuthError
from broker.interaction.store import signed_in
from broker.oidc import authorize as desk
from broker.oidc import form, possession, pushed, request_object, resource, store
from broker.oidc.client import Client
from broker.oidc.client_door import proved_client
from broker.oidc.request import (
    SIZE_LIMIT,
    Arguments,
    AuthorizationRequest,
    known_reply_address,
    parse,
    prove_client,
    prove_reply_address,
)
from broker.oidc.request_object import Opened
from broker.oidc.response_mode import Reply, packed, query_url
from broker.web import csrf, errors, headers
from broker.web.tools import tools

pages = Blueprint(
    "requests",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/oidc/static",
)

for door in ("authorize_by_form", "push"):
    csrf.exempt(f"oidc.requests.{door}")

PAR = "oidc.requests.push"
CREDENTIALS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})
"""Parameters of /par that prove the client and are no part of the request."""


@pages.get("/authorize")
def authorize() -> BaseResponse:
    """The authorization endpoint (Core §3.1.2): to a step, or back to the service."""
    if request.method == "HEAD":  # Flask answers HEAD with GET's view; a code must not be minted
        return Response()
    app, now, arguments = tools(), tools().clock(), request.args.to_dict(flat=False)
    if request_object.is_plain(arguments):
        with transaction() as tx:
            client = prove_client(arguments, lambda name: store.find_client(tx, name))
            asked = _asked(tx, _opened(arguments, client), client)
            onward = desk.begin(tx, asked, client, signed_in(tx, now), app, now)
        return _go(onward)
    client = _client(arguments)
    if pushed.is_pushed(arguments):
        with transaction() as tx:
            asked = pushed.find(tx, arguments, client, now)
            onward = desk.begin(tx, asked, client, signed_in(tx, now), app, now)
        return _go(onward)
    opened = _opened(arguments, client)
    with transaction() as tx:
        asked = _asked(tx, opened, client)
        onward = desk.begin(tx, asked, client, signed_in(tx, now), app, now)
    return _go(onward)


@pages.post("/authorize")
def authorize_by_form() -> BaseResponse:
    """The same by POST (Core §3.1.2.1), turned into a GET.

    A form of another site arrives without our SameSite cookies; the redirect brings them. What
    is too long for an address is kept meanwhile, as if it had been pushed.
    """
    arguments = request.form.to_dict(flat=False)
    query = urlencode(arguments, doseq=True)
    if len(query) <= SIZE_LIMIT:
        return redirect(f"/authorize?{query}", code=303)
    client = _client(arguments)
    opened = _opened(arguments, client)
    with transaction() as tx:
        uri = pushed.keep(tx, _asked(tx, opened, client), tools(), tools().clock())
    short = urlencode({"client_id": client.id, "request_uri": uri})
    return redirect(f"/authorize?{short}", code=303)


@pages.post("/par")
def push() -> Response:
    """The pushed authorization request endpoint (RFC 9126 §2): everything is checked here."""
    app, now, sent = tools(), tools().clock(), form.read(several=("resource",))
    arguments = {name: [value] for name, value in sent.once.items()}
    arguments |= {name: list(values) for name, values in sent.several.items()}
    if "request_uri" in arguments:  # RFC 9126 §2.1
        raise OAuthError(OAuthCode.INVALID_REQUEST, "request_uri cannot be pushed")
    opened = _signed_by_its_client(arguments)
    with proved_client(sent.once) as (tx, client):
        asked = _asked(tx, opened or _unsigned(arguments, client), client)
        resource.prove(tx, asked.resource, app.settings.issuer)
        uri = pushed.keep(tx, _bound(tx, asked, client), app, now)
    lifetime = int(app.settings.oidc.pushed_lifetime.total_seconds())
    response = jsonify({"request_uri": uri, "expires_in": lifetime})
    response.status_code = 201
    return response


@pages.get("/authorize/<handle>")
def resume(handle: str) -> BaseResponse:
    """Where every step returns to: to the next step, or back to the service with a code."""
    if request.method == "HEAD":
        return Response()
    app, now = tools(), tools().clock()
    with transaction() as tx:
        onward = desk.resume(tx, handle, app, now)
    return _go(onward)


@pages.get("/authorize/<handle>/decline")
def decline(handle: str) -> BaseResponse:
    """Back to the service with access_denied."""
    if request.method == "HEAD":
        return Response()
    app, now = tools(), tools().clock()
    with transaction() as tx:
        onward = desk.decline(tx, handle, app, now)
    return _go(onward)


def _client(arguments: Arguments) -> Client:
    with reading() as tx:
        return prove_client(arguments, lambda name: store.find_client(tx, name))


def _opened(arguments: Arguments, client: Client) -> Opened:
    """The request, its object fetched, verified and opened while no transaction is open."""
    _errors_go_back(arguments, client)
    if client.metadata.pushes:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "the request must be pushed", redirectable=True)
    arguments = request_object.by_reference(arguments, client, _fetch)
    return request_object.opened(arguments, client, tools().settings.issuer, tools().clock())


def _asked(tx: Session, opened: Opened, client: Client) -> AuthorizationRequest:
    if opened.arguments["client_id"] != [client.id]:
        raise OAuthError(OAuthCode.INVALID_REQUEST_OBJECT, "another client signed the request")
    prove_reply_address(opened.arguments, client)
    _errors_go_back(opened.arguments, client)
    return parse(request_object.used_once(tx, opened, client), client)


def _fetch(uri: str) -> bytes:
    media_type = request_object.MEDIA_TYPE
    return tools().outbound.get(uri, limit=jose.SIZE_LIMIT, accept=media_type)


def _unsigned(arguments: Arguments, client: Client) -> Opened:
    """What was pushed without a request object. Raises OAuthError where one is owed."""
    asked = {n: v for n, v in arguments.items() if n not in CREDENTIALS}
    issuer, now = tools().settings.issuer, tools().clock()
    return request_object.opened({**asked, "client_id": [client.id]}, client, issuer, now)


def _bound(tx: Session, asked: AuthorizationRequest, client: Client) -> AuthorizationRequest:
    """The same, its code bound to the key of the DPoP proof that came along (RFC 9449 §10.1)."""
    jkt = possession.shown_key(tx, client, tools(), tools().clock())
    if jkt is None:
        return asked
    if asked.dpop_jkt not in {None, jkt}:
        raise OAuthError(OAuthCode.INVALID_DPOP_PROOF, "dpop_jkt names another key")
    return replace(asked, dpop_jkt=jkt)


def _signed_by_its_client(arguments: Arguments) -> Opened | None:
    """The request object among the arguments, opened; None where there is none."""
    if "request" not in arguments:
        return None
    client_id = request_object.named_client(arguments)
    client = _client({"client_id": [client_id]})
    return request_object.opened(arguments, client, tools().settings.issuer, tools().clock())


def _errors_go_back(arguments: Arguments, client: Client) -> None:
    """From here on, errors go to the address in the arguments, if it is the client's.

    Not at /par: its errors are for the client itself.
    """
    address = known_reply_address(arguments, client)
    if address is None or request.endpoint == PAR:
        return

    def sent(error: OAuthError) -> BaseResponse:
        said = {"error": error.code, "error_description": error.hint}
        return _send(desk.reply(address, client, tools(), **said))

    errors.redirect_with(sent)


def _go(onward: desk.Onward) -> BaseResponse:
    return _send(onward) if isinstance(onward, Reply) else _redirect(onward)


def _redirect(url: str) -> Response:
    """As Flask's, but without a page that nobody reads."""
    return Response(status=303, headers={"Location": url})


def _send(reply: Reply) -> BaseResponse:
    """The answer, on its way to the service by the mode that it asked for."""
    said = packed(reply, tools(), tools().clock())
    if not reply.by_form:
        return _redirect(query_url(reply.redirect_uri, said))
    headers.allow_form_target(reply.origin)
    return Response(render_template("oidc/form_post.html", reply=reply, said=said))
