"""Minting: a grant → a code, and a grant → access token, ID token, refresh token."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from broker import entropy, jose
from broker.audit.log import record
from broker.feature import ClaimsAsked, claims_of
from broker.oidc import access, store
from broker.oidc.access import Access
from broker.oidc.claims import id_token_claims, told_to
from broker.oidc.client import Client
from broker.oidc.grant import Grant
from broker.oidc.models import RefreshToken
from broker.oidc.request import AuthorizationRequest
from broker.oidc.signing import takeover
from broker.oidc.token_request import TokenRequest
from broker.web.tools import Tools

IN_ID_TOKEN = frozenset({"assurance"})
"""Scope values whose claims the ID token carries; the others wait at userinfo (Core §5.4)."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """The refresh token that new tokens come from: its end is theirs, its scope stays.

    Where it does not rotate it stays good, and no other one is made.
    """

    expires: datetime
    rotates: bool = True


FAPI2_CODE_LIFETIME = timedelta(seconds=60)
"""FAPI 2.0 Security Profile §5.3.2.1: the longest that a code may be good."""


def keep_code(  # noqa: PLR0913  what it stands for, and for whom
    tx: Session,
    grant: Grant,
    request: AuthorizationRequest,
    client: Client,
    tools: Tools,
    now: datetime,
) -> None:
    """Keep what the code stands for, under the name that the code gives it."""
    lifetime = tools.settings.oidc.code_lifetime
    if client.metadata.profile == "fapi2":
        lifetime = min(lifetime, FAPI2_CODE_LIFETIME)
    store.add_grant(
        tx,
        grant,
        now,
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        dpop_jkt=request.dpop_jkt,
        code_expires=now + lifetime,
    )


def tokens(  # noqa: PLR0913  the grant, to whom, for where, and whether it renews
    tx: Session,
    grant: Grant,
    asked: TokenRequest,
    audience: tuple[str, ...],
    tools: Tools,
    now: datetime,
    *,
    renews: Renewal | None = None,
) -> dict[str, Any]:
    """The token endpoint's answer for a grant (Core §3.1.3.3, §12.2)."""
    allowed = Access(
        client_id=asked.client.id,
        scope=frozenset(grant.scope),
        issued=now,
        expires=now + tools.settings.oidc.access_token_lifetime,
        grant=grant,
        audience=audience,
        cnf=asked.cnf,
    )
    access_token = access.mint(tx, allowed, asked.client, tools, now)
    token_id = entropy.token(tools.random, bits=128)
    answer = said(access_token, allowed)
    if grant.authorization_details:
        answer["authorization_details"] = list(grant.authorization_details)  # RFC 9396 §7
    answer["id_token"] = _id_token(tx, grant, asked, access_token, token_id, tools, now)
    if renews.rotates if renews else "offline_access" in grant.scope:
        expires = renews.expires if renews else now + tools.settings.oidc.refresh_token_lifetime
        answer["refresh_token"] = _refresh_token(tx, grant, asked, expires, tools)
    record(tx, "token.issued", issuance(grant, token_id), now)
    return answer


def said(access_token: str, allowed: Access) -> dict[str, Any]:
    """What every answer says of its access token (RFC 6749 §5.1)."""
    return {
        "access_token": access_token,
        "token_type": allowed.token_type,
        "expires_in": int((allowed.expires - allowed.issued).total_seconds()),
        "scope": " ".join(sorted(allowed.scope)),
    }


def issuance(grant: Grant, token_id: str) -> dict[str, object]:
    """What the record keeps of tokens that were minted for a person."""
    return {
        "account": grant.account_id,
        "subject": grant.subject,
        "client": grant.client_id,
        "grant": grant.id,
        "token": hashlib.sha256(token_id.encode()).hexdigest(),
        "scope": list(grant.scope),
        "acr": grant.assurance.acr,
        "amr": list(grant.assurance.amr),
        "identity": grant.assurance.identity,
        "authenticator": grant.assurance.authenticator,
        "policy": grant.assurance.policy,
        "because": grant.assurance.because,
        "evidence": grant.assurance.evidence,
        "kind": grant.assurance.kind,
    }


def _id_token(  # noqa: PLR0913  all of them are in it
    tx: Session,
    grant: Grant,
    asked: TokenRequest,
    access_token: str,
    token_id: str,
    tools: Tools,
    now: datetime,
) -> str:
    wanted = ClaimsAsked(frozenset(grant.scope) & IN_ID_TOKEN, grant.claims.get("id_token", {}))
    told = claims_of(tools.features, tx, grant.account_id, wanted, now)
    alg = asked.client.metadata.id_token_signed_response_alg
    claims = id_token_claims(
        grant,
        issuer=tools.settings.issuer,
        policy=tools.policy,
        said=told_to(grant, told, tools.keyring.pairwise),
        at_hash=jose.half_hash(access_token, alg),
        token_id=token_id,
        now=now,
        lifetime=tools.settings.oidc.id_token_lifetime,
    )
    takeover.note(tx, tools.keyring, alg, now)
    return jose.sign(claims, tools.keyring, alg, now)


def _refresh_token(
    tx: Session, grant: Grant, asked: TokenRequest, expires: datetime, tools: Tools
) -> str:
    # RFC 9449 §5, RFC 8705 §4: without a secret of its own, a client's key is what binds.
    public = asked.client.metadata.token_endpoint_auth_method == "none"  # noqa: S105  a method
    token = entropy.dated(tools.random, tools.clock())
    row = RefreshToken(
        digest=store.digest(token),
        grant_id=grant.id,
        expires=expires,
        cnf=dict(asked.cnf) if public else {},
    )
    tx.add(row)
    return token


def narrowed(grant: Grant, scope: frozenset[str]) -> Grant:
    """The same grant for less."""
    return replace(grant, scope=tuple(sorted(scope)))
