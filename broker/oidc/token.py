"""The token endpoint's rules: code → tokens, client → its own token, and what else buys any.

Whatever must persist although it is a refusal (a code tried twice revokes its grant) is
*returned* as a Refusal; the route raises it once the transaction has committed.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broker.audit.log import record
from broker.errors import OAuthCode, OAuthError
from broker.oidc import access, minting, resource, store
from broker.oidc.access import Access
from broker.oidc.client import Client
from broker.oidc.client_metadata import AUDIT_SCOPES, PERSONS_ONLY
from broker.oidc.exchange import GRANT_TYPE, exchange
from broker.oidc.grant import Grant
from broker.oidc.refreshing import rotate
from broker.oidc.token_request import (
    Answer,
    Answerer,
    Refusal,
    TokenRequest,
    refused,
    seen_before,
)
from broker.web.tools import Tools

OWN_SCOPE = AUDIT_SCOPES - PERSONS_ONLY
"""Scope values that a client may have by itself, with no person behind it."""

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


def redeem_code(tx: Session, asked: TokenRequest, tools: Tools, now: datetime) -> Answer:
    """The tokens that a code stands for, exactly once (RFC 6749 §4.1.3)."""
    code = asked.form.get("code", "")
    row = store.redeem(tx, code, asked.client, now)
    if row is None:
        return _not_redeemed(tx, code, asked, now)
    grant = Grant.from_json(row.body)
    # Raised, not returned: the code stays as it was.
    audience = resource.within(asked.resources, grant.resource, tools.settings.issuer)
    if fault := _code_fault(row, asked, now):
        return refused(tx, asked.client, fault, now, grant)
    return minting.tokens(tx, grant, asked, audience, tools, now)


def own_token(tx: Session, asked: TokenRequest, tools: Tools, now: datetime) -> Answer:
    """An access token of the client's own (RFC 6749 §4.4)."""
    allowed = asked.client.metadata.scope & OWN_SCOPE
    scope = frozenset(asked.form.get("scope", "").split()) or allowed
    if not scope or not scope <= allowed:
        return Refusal(OAuthCode.INVALID_SCOPE, "no scope that the client may have by itself")
    own = Access(
        client_id=asked.client.id,
        scope=scope,
        issued=now,
        expires=now + tools.settings.oidc.access_token_lifetime,
        audience=resource.prove(tx, asked.resources, tools.settings.issuer),
        cnf=asked.cnf,
    )
    token = access.mint(tx, own, asked.client, tools, now)
    facts = {"client": asked.client.id, "grant": "client_credentials", "scope": sorted(scope)}
    record(tx, "token.issued", facts, now)
    return minting.said(token, own)


GRANTS: Mapping[str, Answerer] = {
    "authorization_code": redeem_code,
    "refresh_token": rotate,
    "client_credentials": own_token,
    GRANT_TYPE: exchange,
}
"""grant_type → what answers it."""


def answerer(grant_type: str, client: Client) -> Answerer:
    """What answers this client's request.

    Raises OAuthError: invalid_request for none, unsupported_grant_type, unauthorized_client.
    """
    if grant_type not in GRANTS:
        code = OAuthCode.UNSUPPORTED_GRANT_TYPE if grant_type else OAuthCode.INVALID_REQUEST
        raise OAuthError(code, "grant_type")
    if grant_type not in client.metadata.grant_types:
        raise OAuthError(OAuthCode.UNAUTHORIZED_CLIENT, "grant_type is not registered")
    return GRANTS[grant_type]


def _not_redeemed(tx: Session, code: str, asked: TokenRequest, now: datetime) -> Refusal:
    grant = store.find_grant(tx, store.name_of(code))
    if grant is None or grant.client_id != asked.client.id:
        return refused(tx, asked.client, "the code is unknown", now)
    return seen_before(tx, asked.client, "the code was used before", now, grant)


def _code_fault(code: Any, asked: TokenRequest, now: datetime) -> str | None:
    if now >= code.code_expires:
        return "the code has expired"
    if asked.form.get("redirect_uri") != code.redirect_uri:
        return "redirect_uri differs from the one the code was sent to"
    if not _proves(asked.form.get("code_verifier", ""), code.code_challenge):
        return "code_verifier does not match"
    if code.dpop_jkt not in {None, asked.cnf.get("jkt")}:
        return "the code is bound to another DPoP key"  # RFC 9449 §10
    return None


def _proves(verifier: str, challenge: str) -> bool:
    # RFC 7636 §4.6: BASE64URL(SHA256(ASCII(code_verifier))) == code_challenge
    if not _VERIFIER.fullmatch(verifier):
        return False
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest())
    return hmac.compare_digest(hashed.rstrip(b"=").decode("ascii"), challenge)
