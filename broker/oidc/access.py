"""What an access token lets its holder do, in either form: opaque, or a JWT (RFC 9068).

Both are rows, found by the digest of the whole token: a revoked JWT is as worthless here as a
revoked opaque one, and its signature is for resource servers that do not ask us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broker import entropy, jose
from broker.errors import OAuthCode, OAuthError
from broker.identity.assurance import acr_uri
from broker.oidc import possession, store
from broker.oidc.client import Client
from broker.oidc.client_metadata import AUDIT_SCOPES
from broker.oidc.grant import Grant, seconds
from broker.web.tools import Caller, Presented, Tools, tools


@dataclass(frozen=True, slots=True)
class Access:
    """What a token allows, whatever its form.

    Without `grant` the client speaks for itself. An empty `audience` is this broker. `cnf` names
    the key of who may present it, `actor` who acts with it for the person (RFC 8693 §4.1). Of a
    token that was found, `client` is the registration that `client_id` names, while there is one.
    """

    client_id: str
    scope: frozenset[str]
    issued: datetime
    expires: datetime
    grant: Grant | None = None
    audience: tuple[str, ...] = ()
    cnf: Mapping[str, str] = field(default_factory=dict)
    actor: Mapping[str, Any] | None = None
    client: Client | None = None

    @property
    def token_type(self) -> str:
        """How the token is presented (RFC 6750, RFC 9449 §7.1)."""
        return "DPoP" if "jkt" in self.cnf else "Bearer"

    def is_for(self, name: str) -> bool:
        """Whether the token may be honoured at `name`; without an audience that is only us."""
        return name in self.audience or (not self.audience and name == tools().settings.issuer)


def claims(access: Access, issuer: str, may_act: str | None = None) -> dict[str, Any]:
    """The token in claims: of its JWT (RFC 9068 §2.2) and of its introspection (RFC 7662 §2.2)."""
    audience = access.audience or (issuer,)
    told: dict[str, Any] = {
        "iss": issuer,
        "sub": access.grant.subject if access.grant else access.client_id,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "client_id": access.client_id,
        "scope": " ".join(sorted(access.scope)),
        "iat": seconds(access.issued),
        "exp": seconds(access.expires),
    }
    if access.grant:
        told["auth_time"] = access.grant.auth_time
        told["acr"] = acr_uri(access.grant.assurance.acr, issuer)
        told["amr"] = list(access.grant.assurance.amr)
    if access.grant and access.grant.authorization_details:
        told["authorization_details"] = list(access.grant.authorization_details)  # RFC 9396 §9
    if access.cnf:
        told["cnf"] = dict(access.cnf)
    if access.actor:
        told["act"] = dict(access.actor)
    if may_act:
        told["may_act"] = {"sub": may_act}
    return told


def mint(tx: Session, access: Access, client: Client, tools: Tools, now: datetime) -> str:
    """An access token in the client's form, and its row."""
    token = entropy.dated(tools.random, now)
    if client.metadata.access_token_format == "jwt":  # noqa: S105  a form
        told = claims(access, tools.settings.issuer, client.metadata.may_act)
        alg = client.metadata.id_token_signed_response_alg
        # The random part is the jti, so no two tokens of one second are alike.
        token = jose.sign(told | {"jti": token}, tools.keyring, alg, now, "at+jwt")
    store.add_access_token(
        tx,
        token,
        grant_id=access.grant.id if access.grant else None,
        client_id=access.client_id,
        scope=sorted(access.scope),
        audience=list(access.audience),
        cnf=dict(access.cnf),
        actor=None if access.actor is None else dict(access.actor),
        issued=access.issued,
        expires=access.expires,
    )
    return token


def find(tx: Session, unverified_token: str, now: datetime) -> Access | None:
    """What the token allows; None once it is over, revoked, or its person erased."""
    found = store.find_access_token(tx, unverified_token, now)
    if found is None:
        return None
    row, grant, client = found
    return Access(
        client_id=row.client_id,
        scope=frozenset(row.scope),
        issued=row.issued,
        expires=row.expires,
        grant=grant,
        audience=tuple(row.audience),
        cnf=row.cnf,
        actor=row.actor,
        client=client,
    )


def presented(tx: Session, brought: Presented, tools: Tools, now: datetime) -> Access:
    """What the token of a request to this broker allows, its sender proved.

    Raises OAuthError: invalid_token, invalid_dpop_proof, use_dpop_nonce.
    """
    access = find(tx, brought.unverified_token, now)
    if access is None or not access.is_for(tools.settings.issuer):
        raise OAuthError(OAuthCode.INVALID_TOKEN, "the token is unknown, expired or not for here")
    possession.held(tx, brought, access.cnf, access.client, tools, now)
    return access


def read_token(tx: Session, brought: Presented, now: datetime) -> Caller:
    """The client that an access token speaks for, and the person behind it.

    Raises OAuthError, as `presented` does. A token to act for somebody reads no record.
    """
    access = presented(tx, brought, tools(), now)
    limit = access.client.metadata.audit_clients if access.client else frozenset()
    grant = access.grant
    return Caller(
        client_id=access.client_id,
        scope=access.scope if access.actor is None else access.scope - AUDIT_SCOPES,
        audit_clients=limit or None,
        account_id=grant.account_id if grant else None,
        authenticator=grant.assurance.authenticator if grant else None,
    )


def behind(access: Access) -> Grant:
    """The grant behind an access token, its scope and client those of the token.

    Raises OAuthError insufficient_scope for a client's own token.
    """
    if access.grant is None:
        raise OAuthError(OAuthCode.INSUFFICIENT_SCOPE, "the token speaks for no person")
    scope, grant = tuple(sorted(access.scope)), access.grant
    if (scope, access.client_id) == (grant.scope, grant.client_id):
        return grant
    return replace(grant, scope=scope, client_id=access.client_id)
