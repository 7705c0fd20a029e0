"""Requests that came before their person: kept under an unguessable URI, used once (RFC 9126)."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from broker import entropy
from broker.errors import Malformed, OAuthCode, OAuthError
from broker.interaction.replay import first_use
from broker.oidc.client import Client
from broker.oidc.models import PushedRequest
from broker.oidc.request import Arguments, AuthorizationRequest, given
from broker.oidc.store import digest
from broker.web.tools import Tools

PREFIX = "urn:ietf:params:oauth:request_uri:"


def keep(tx: Session, request: AuthorizationRequest, tools: Tools, now: datetime) -> str:
    """The request_uri of the request, kept for a short while for its client only."""
    tx.execute(delete(PushedRequest).where(PushedRequest.expires <= now))
    uri = f"{PREFIX}{entropy.token(tools.random)}"
    row = PushedRequest(
        digest=digest(uri),
        client_id=request.client_id,
        request=request.to_json(),
        expires=now + tools.settings.oidc.pushed_lifetime,
    )
    tx.add(row)
    return uri


def is_pushed(arguments: Arguments) -> bool:
    """Whether the request is but a reference to one that was pushed."""
    return (given(arguments, "request_uri") or "").startswith(PREFIX)


def find(tx: Session, arguments: Arguments, client: Client, now: datetime) -> AuthorizationRequest:
    """The request that was pushed; what else stands in `arguments` counts for nothing.

    It may be opened again until it has been answered: browsers reload, people come back.
    Raises OAuthError invalid_request_uri, on a page: unknown, another client's, expired, answered.
    """
    uri = given(arguments, "request_uri") or ""
    row = tx.get(PushedRequest, digest(uri))
    sent_once = len(arguments.get("request_uri", ())) == 1
    if row is None or not sent_once or row.client_id != client.id or now >= row.expires:
        raise OAuthError(OAuthCode.INVALID_REQUEST_URI, "the request_uri is unknown or expired")
    request = AuthorizationRequest.from_json({**row.request, "pushed": uri})
    if request.redirect_uri not in client.metadata.redirect_uris:
        raise Malformed("redirect_uri_unknown")  # registered no more
    return request


def settle(tx: Session, request: AuthorizationRequest, tools: Tools, now: datetime) -> None:
    """The request is answered now, and never again; nothing to do for one that was not pushed.

    Raises OAuthError invalid_request_uri, on a page, where it was answered before: of several
    browsers that opened it, one gets an answer.
    """
    if request.pushed is None:
        return
    # Whoever opened it before now is parked no longer than this.
    forgotten = now + tools.settings.oidc.interaction_lifetime
    if not first_use(tx, "par", request.client_id, request.pushed, forgotten):
        raise OAuthError(OAuthCode.INVALID_REQUEST_URI, "the request_uri was used before")
    tx.execute(delete(PushedRequest).where(PushedRequest.digest == digest(request.pushed)))
