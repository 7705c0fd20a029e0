"""Token introspection (RFC 7662), plain and as a signed answer (RFC 9701)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.orm import Session

from broker import jose
from broker.errors import OAuthCode, OAuthError
from broker.feature import evidence_of
from broker.oidc import access, form, store
from broker.oidc.access import Access
from broker.oidc.client import Client
from broker.oidc.client_door import proved_client
from broker.oidc.exchange import is_audience
from broker.oidc.grant import seconds, weigh
from broker.web import csrf
from broker.web.tools import Tools, tools

pages = Blueprint("introspection", __name__)
csrf.exempt("oidc.introspection.introspect")

SIGNED = "application/token-introspection+jwt"


@pages.post("/introspect")
def introspect() -> Response:
    """What a token allows, to those whom it concerns; to all others it is not active."""
    app, now, sent = tools(), tools().clock(), form.read()
    with proved_client(sent.once, only_reads=True) as (tx, client):
        answer = told(tx, form.token_of(sent), client, app, now)
    if SIGNED not in request.headers.get("Accept", ""):
        return jsonify(answer)
    claims = {
        "iss": app.settings.issuer,
        "aud": client.id,
        "iat": seconds(now),
        "token_introspection": answer,
    }
    alg = client.metadata.introspection_signed_response_alg or client.metadata.usual_alg
    # No `sub` and no `exp`: nobody may take this for a token (RFC 9701 §5).
    signed = jose.sign(claims, app.keyring, alg, now, typ="token-introspection+jwt")
    return Response(signed, mimetype=SIGNED)


def told(tx: Session, token: str, client: Client, tools: Tools, now: datetime) -> dict[str, Any]:
    """What this client hears of the token (RFC 7662 §2.2). Raises OAuthError invalid_client."""
    if client.metadata.token_endpoint_auth_method == "none":  # noqa: S105  a method
        raise OAuthError(OAuthCode.INVALID_CLIENT, "only for clients that prove themselves")
    found = access.find(tx, token, now)
    if found is not None and (found.client_id == client.id or is_audience(client, found)):
        may_act = found.client.metadata.may_act if found.client else None
        today = _as_of_today(tx, found, tools, now)
        said = access.claims(today, tools.settings.issuer, may_act)
        return {"active": True, "token_type": found.token_type} | said
    return _told_of_refresh_token(tx, token, client, tools, now)


def _as_of_today(tx: Session, found: Access, tools: Tools, now: datetime) -> Access:
    """The same with today's assurance: evidence may have expired or been taken back."""
    if found.grant is None:
        return found
    grant = found.grant
    evidence = evidence_of(tools.features, tx, grant.account_id)
    weighed = weigh(evidence, grant.authenticator, tools.policy, now, grant.acr_essential)
    return replace(found, grant=replace(grant, assurance=weighed))


def _told_of_refresh_token(
    tx: Session, token: str, client: Client, tools: Tools, now: datetime
) -> dict[str, Any]:
    row = store.find_refresh_token(tx, token)
    grant = store.find_grant(tx, row.grant_id) if row else None
    good = row is not None and row.spent is None and now < row.expires
    if row is None or grant is None or not good or grant.client_id != client.id:
        return {"active": False}  # RFC 7662 §2.2: and nothing else, whatever the reason
    said: dict[str, Any] = {
        "active": True,
        "iss": tools.settings.issuer,
        "sub": grant.subject,
        "client_id": grant.client_id,
        "scope": " ".join(grant.scope),
        "exp": seconds(row.expires),
    }
    return said | ({"cnf": row.cnf} if row.cnf else {})
