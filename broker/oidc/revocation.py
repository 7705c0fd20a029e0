"""Token revocation (RFC 7009): a client says that it needs a token no more."""

from datetime import datetime

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from broker import jose
from broker.audit.log import record
from broker.errors import OAuthCode, OAuthError
from broker.oidc import access, form, store
from broker.oidc.client import Client
from broker.oidc.client_door import proved_client
from broker.oidc.grant import Grant
from broker.web import csrf
from broker.web.tools import Tools, tools

pages = Blueprint("revocation", __name__)
csrf.exempt("oidc.revocation.revoke")


@pages.post("/revoke")
def revoke() -> Response:
    """An empty answer, whether there was anything to revoke or not (RFC 7009 §2.2)."""
    app, now, sent = tools(), tools().clock(), form.read()
    with proved_client(sent.once) as (tx, client):
        _revoke(tx, form.token_of(sent), client, app, now)
    return Response(status=200)


def _revoke(tx: Session, token: str, client: Client, tools: Tools, now: datetime) -> None:
    """End the token, a refresh token with all of its family; another client's is left alone.

    `token_type_hint` is not looked at: both kinds are looked for (§2.1).
    """
    found = access.find(tx, token, now)
    if found is not None and found.client_id == client.id:
        store.drop_access_token(tx, token)
        _record(tx, client, found.grant, now)
        return
    refresh = store.find_refresh_token(tx, token)
    grant = store.find_grant(tx, refresh.grant_id) if refresh else None
    if grant is not None and grant.client_id == client.id:
        store.revoke_grant(tx, grant.id, now)
        _record(tx, client, grant, now)
    elif found is None and refresh is None and _is_id_token(token, tools):
        raise OAuthError(OAuthCode.UNSUPPORTED_TOKEN_TYPE, "an ID token cannot be revoked")


def _is_id_token(token: str, tools: Tools) -> bool:
    try:
        jose.verify(token, tools.keyring)
    except jose.SignatureRejected:
        return False
    return True


def _record(tx: Session, client: Client, grant: Grant | None, now: datetime) -> None:
    facts = {"client": client.id, "reason": "the client asked for it"}
    if grant is not None:
        facts |= {"account": grant.account_id, "grant": grant.id}
    record(tx, "token.revoked", facts, now)
