"""Minting and redeeming: code → tokens, refresh token → tokens, client → its own token.

Whatever must persist although it is a refusal (a code tried twice revokes its grant) is
*returned* as a Refusal; the route raises it once the transaction has committed.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broker import entropy, jose
from broker.audit.log import record
from broker.errors import OAuthCode, OAuthError
from broker.feature import ClaimsAsked, claims_of, evidence_of
from broker.oidc import store
from broker.oidc.claims import id_token_claims, told_to
from broker.oidc.client import Client
from broker.oidc.grant import Grant, weigh
from broker.oidc.models import AccessToken, Code, RefreshToken
from broker.oidc.request import AuthorizationRequest
from broker.web.tools import Caller, Tools

Form = Mapping[str, str]

IN_ID_TOKEN = frozenset({"assurance"})
"""Scope values whose claims the ID token carries; the others wait at userinfo (Core §5.4)."""

OWN_SCOPE = frozenset({"audit:read"})
"""Scope values that a client may have by itself, with no person behind it."""

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal whose trace must be committed before anyone hears of it."""

    code: OAuthCode
    hint: str

    def error(self) -> OAuthError:
        """The same, to raise."""
        return OAuthError(self.code, self.hint)


Answer = dict[str, Any] | Refusal


def mint_code(
    tx: Session, grant: Grant, request: AuthorizationRequest, tools: Tools, now: datetime
) -> str:
    """A code that stands for `grant`, kept together with it."""
    store.add_grant(tx, grant, now)
    code = entropy.token(tools.random)
    row = Code(
        digest=store.digest(code),
        grant_id=grant.id,
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        expires=now + tools.settings.oidc.code_lifetime,
    )
    tx.add(row)
    return code


def redeem_code(tx: Session, form: Form, client: Client, tools: Tools, now: datetime) -> Answer:
    """The tokens that a code stands for, exactly once (RFC 6749 §4.1.3)."""
    code = store.find_code(tx, form.get("code", ""))
    grant = store.find_grant(tx, code.grant_id) if code else None
    if code is None or grant is None or grant.client_id != client.id:
        return _refused(tx, client, "the code is unknown", now)
    if not store.spend(tx, code, now):
        return _seen_before(tx, client, "the code was used before", now, grant)
    if fault := _code_fault(code, form, now):
        return _refused(tx, client, fault, now, grant)
    return _tokens(tx, grant, client, tools, now, nonce=grant.nonce)


def rotate_refresh_token(
    tx: Session, form: Form, client: Client, tools: Tools, now: datetime
) -> Answer:
    """New tokens for a refresh token, which is spent; its reuse revokes the grant.

    RFC 9700 §4.14.2.
    """
    old = store.find_refresh_token(tx, form.get("refresh_token", ""))
    grant = store.find_grant(tx, old.grant_id) if old else None
    if old is None or grant is None or grant.client_id != client.id or now >= old.expires:
        return _refused(tx, client, "the refresh token is unknown or expired", now)
    scope = set(form.get("scope", "").split()) or set(grant.scope)
    if not scope <= set(grant.scope):
        return Refusal(OAuthCode.INVALID_SCOPE, "the scope exceeds what was granted")
    if not store.spend(tx, old, now):
        return _seen_before(tx, client, "the refresh token was used before", now, grant)
    narrowed = replace(grant, scope=tuple(sorted(scope)))
    evidence = evidence_of(tools.features, tx, grant.account_id)
    today = weigh(evidence, grant.authenticator, tools.policy, now)
    # Core §12.2: no nonce; the sign-in is the old one, the assurance is today's.
    return _tokens(tx, replace(narrowed, assurance=today), client, tools, now, until=old.expires)


def own_token(tx: Session, form: Form, client: Client, tools: Tools, now: datetime) -> Answer:
    """An access token of the client's own (RFC 6749 §4.4)."""
    allowed = client.metadata.scope & OWN_SCOPE
    scope = set(form.get("scope", "").split()) or set(allowed)
    if not scope or not scope <= allowed:
        return Refusal(OAuthCode.INVALID_SCOPE, "no scope that the client may have by itself")
    token = _access_token(tx, client, scope, None, tools, now)
    facts = {"client": client.id, "grant": "client_credentials", "scope": sorted(scope)}
    record(tx, "token.issued", facts, now)
    return _answer(token, scope, tools)


GRANTS = {
    "authorization_code": redeem_code,
    "refresh_token": rotate_refresh_token,
    "client_credentials": own_token,
}
"""grant_type → what answers it."""


def read_token(tx: Session, unverified_token: str, now: datetime) -> Caller:
    """The client that an access token speaks for. Raises OAuthError invalid_token."""
    row = store.find_access_token(tx, unverified_token, now)
    if row is None:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "the token is unknown or expired")
    return Caller(row.client_id, frozenset(row.scope))


def granted(tx: Session, unverified_token: str, now: datetime) -> Grant:
    """The grant behind an access token, its scope that of the token.

    Raises OAuthError: invalid_token, or insufficient_scope for a client's own token.
    """
    row = store.find_access_token(tx, unverified_token, now)
    if row is None:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "the token is unknown or expired")
    grant = row.grant_id and store.find_grant(tx, row.grant_id)
    if not grant:
        raise OAuthError(OAuthCode.INSUFFICIENT_SCOPE, "the token speaks for no person")
    return replace(grant, scope=tuple(row.scope))


def _code_fault(code: Code, form: Form, now: datetime) -> str | None:
    if now >= code.expires:
        return "the code has expired"
    if form.get("redirect_uri") != code.redirect_uri:
        return "redirect_uri differs from the one the code was sent to"
    if not _proves(form.get("code_verifier", ""), code.code_challenge):
        return "code_verifier does not match"
    return None


def _proves(verifier: str, challenge: str) -> bool:
    # RFC 7636 §4.6: BASE64URL(SHA256(ASCII(code_verifier))) == code_challenge
    if not _VERIFIER.fullmatch(verifier):
        return False
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest())
    return hmac.compare_digest(hashed.rstrip(b"=").decode("ascii"), challenge)


def _seen_before(tx: Session, client: Client, hint: str, now: datetime, grant: Grant) -> Refusal:
    # RFC 6749 §4.1.2, RFC 9700 §4.14.2: two hold what one was given; all it bought is revoked.
    store.revoke_grant(tx, grant.id, now)
    facts = {"account": grant.account_id, "client": client.id, "grant": grant.id, "reason": hint}
    record(tx, "token.revoked", facts, now)
    return _refused(tx, client, hint, now, grant)


def _refused(
    tx: Session, client: Client, hint: str, now: datetime, grant: Grant | None = None
) -> Refusal:
    facts = {"client": client.id, "reason": hint}
    if grant is not None:
        facts |= {"account": grant.account_id, "grant": grant.id}
    record(tx, "token.refused", facts, now)
    return Refusal(OAuthCode.INVALID_GRANT, hint)


def _tokens(  # noqa: PLR0913  the grant, to whom, with what, and the two ways in
    tx: Session,
    grant: Grant,
    client: Client,
    tools: Tools,
    now: datetime,
    *,
    nonce: str | None = None,
    until: datetime | None = None,
) -> dict[str, Any]:
    access_token = _access_token(tx, client, set(grant.scope), grant.id, tools, now)
    token_id = entropy.token(tools.random, bits=128)
    said = claims_of(
        tools.features, tx, grant.account_id, ClaimsAsked(frozenset(grant.scope) & IN_ID_TOKEN), now
    )
    claims = id_token_claims(
        replace(grant, nonce=nonce),
        issuer=tools.settings.issuer,
        policy=tools.policy,
        said=told_to(grant, said, tools.keyring.pairwise),
        at_hash=jose.half_hash(access_token),
        token_id=token_id,
        now=now,
        lifetime=tools.settings.oidc.id_token_lifetime,
    )
    answer = _answer(access_token, set(grant.scope), tools)
    answer["id_token"] = jose.sign(
        claims, tools.keyring, client.metadata.id_token_signed_response_alg, now
    )
    if "offline_access" in grant.scope:
        expires = until or now + tools.settings.oidc.refresh_token_lifetime
        answer["refresh_token"] = _refresh_token(tx, grant, tools, expires)
    record(tx, "token.issued", _issuance(grant, token_id), now)
    return answer


def _issuance(grant: Grant, token_id: str) -> dict[str, object]:
    return {
        "account": grant.account_id,
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
    }


def _access_token(  # noqa: PLR0913  a row has as many columns
    tx: Session, client: Client, scope: set[str], grant_id: str | None, tools: Tools, now: datetime
) -> str:
    token = entropy.token(tools.random)
    row = AccessToken(
        digest=store.digest(token),
        grant_id=grant_id,
        client_id=client.id,
        scope=sorted(scope),
        expires=now + tools.settings.oidc.access_token_lifetime,
    )
    tx.add(row)
    return token


def _refresh_token(tx: Session, grant: Grant, tools: Tools, expires: datetime) -> str:
    token = entropy.token(tools.random)
    tx.add(RefreshToken(digest=store.digest(token), grant_id=grant.id, expires=expires))
    return token


def _answer(access_token: str, scope: set[str], tools: Tools) -> dict[str, Any]:
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(tools.settings.oidc.access_token_lifetime.total_seconds()),
        "scope": " ".join(sorted(scope)),
    }
