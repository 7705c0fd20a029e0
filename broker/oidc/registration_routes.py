"""Dynamic registration and its management (RFC 7591, RFC 7592), for invited services only."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from broker.db import reading, transaction
from broker.errors import OAuthCode, OAuthError, UpstreamUnavailable
from broker.oidc import registering, registration, store
from broker.oidc.client_metadata import ClientMetadata
from broker.oidc.registering import Registered
from broker.oidc.strict_json import JsonRefused
from broker.oidc.strict_json import read as read_json
from broker.web import csrf
from broker.web.bearer import presented
from broker.web.tools import tools

pages = Blueprint("registration", __name__, url_prefix="/register")

for door in ("register", "change", "remove"):
    csrf.exempt(f"oidc.registration.{door}")

SIZE_LIMIT = 64 * 1024
"""Characters of a registration: room for fifty keys."""


@pages.post("")
def register() -> Response:
    """Register a service (RFC 7591 §3.1), behind an initial access token."""
    app, now, token = tools(), tools().clock(), _token()
    with reading() as tx:
        registering.check_invitation(tx, token, now)
    metadata = registration.read(_body())
    _check_published_sector(metadata)
    with transaction() as tx:
        registering.use_invitation(tx, token, now)
        made = registering.register(tx, metadata, app.random, now, managed=True)
    return _told(made, made.management_token or "", 201)


@pages.get("/<client_id>")
def show(client_id: str) -> Response:
    """The registration as it stands (RFC 7592 §2.1)."""
    token = _token()
    with reading() as tx:
        row = registering.managed_row(tx, client_id, token)
        made = Registered(row.id, store.metadata_of(row), row.created)
    return _told(made, token, 200)


@pages.put("/<client_id>")
def change(client_id: str) -> Response:
    """Replace the registration (RFC 7592 §2.2)."""
    app, now, token = tools(), tools().clock(), _token()
    with reading() as tx:
        row = registering.managed_row(tx, client_id, token)
        kept, secret = store.metadata_of(row), row.secret
    said = _body()
    _check_same(said, client_id, secret)
    metadata = registration.read(said, kept)
    _check_published_sector(metadata)
    with transaction() as tx:
        row = registering.managed_row(tx, client_id, token)
        made = registering.change(tx, row, metadata, app.random, now)
    return _told(made, token, 200)


@pages.delete("/<client_id>")
def remove(client_id: str) -> Response:
    """Remove the registration and all that it was given (RFC 7592 §2.3)."""
    now, token = tools().clock(), _token()
    with transaction() as tx:
        registering.remove(tx, registering.managed_row(tx, client_id, token), now)
    return Response(status=204)


def _token() -> str:
    shown = presented()
    if shown.scheme != "bearer":
        raise OAuthError(OAuthCode.INVALID_TOKEN, "a bearer token is expected")
    return shown.unverified_token


def _body() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise OAuthError(OAuthCode.INVALID_CLIENT_METADATA, "the body must be application/json")
    try:
        said = read_json(request.get_data().decode("utf-8"), size=SIZE_LIMIT)
    except JsonRefused as error:
        raise OAuthError(OAuthCode.INVALID_CLIENT_METADATA, f"the body {error}") from None
    except UnicodeDecodeError:
        raise OAuthError(OAuthCode.INVALID_CLIENT_METADATA, "the body is not UTF-8") from None
    if not isinstance(said, dict):
        raise OAuthError(OAuthCode.INVALID_CLIENT_METADATA, "the body must be an object")
    return said


def _check_same(said: dict[str, Any], client_id: str, secret: bytes | None) -> None:
    """RFC 7592 §2.2: what names the client must be its own; what we alone set must not be there."""
    if said.get("client_id") != client_id:
        raise OAuthError(OAuthCode.INVALID_CLIENT_METADATA, "client_id must be the client's own")
    if back := sorted(set(said) & set(registration.SENT_BACK)):
        raise OAuthError(OAuthCode.INVALID_CLIENT_METADATA, f"{back[0]} must not be sent")
    shown = said.get("client_secret")
    if shown is not None and (not isinstance(shown, str) or store.digest(shown) != secret):
        raise OAuthError(OAuthCode.INVALID_CLIENT_METADATA, "client_secret is another one")


def _check_published_sector(metadata: ClientMetadata) -> None:
    """Outside any transaction: the list is somebody else's."""
    if metadata.sector_identifier_uri is None:
        return
    try:
        document = tools().outbound.get(metadata.sector_identifier_uri)
    except UpstreamUnavailable as error:
        raise OAuthError(
            OAuthCode.INVALID_CLIENT_METADATA, f"sector_identifier_uri: {error.code}"
        ) from None
    registration.check_sector(metadata, document)


def _told(made: Registered, token: str, status: int) -> Response:
    address = f"{tools().settings.issuer}/register/{made.client_id}"
    body = {
        "client_id": made.client_id,
        "client_id_issued_at": int(made.created.timestamp()),
        "registration_client_uri": address,
        "registration_access_token": token,
        **registration.written(made.metadata),
    }
    if made.secret is not None:
        body |= {"client_secret": made.secret, "client_secret_expires_at": 0}
    response = jsonify(body)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
