"""Token exchange (RFC 8693): a service that was given a token calls another for the person.

The result names the person as `sub`, the service as `act.sub`, and whoever acted before inside
it. It is never more than the token it came from: its scope, its end and, unless another service
is named, its audience are within it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broker import entropy
from broker.audit.log import record
from broker.errors import OAuthCode, OAuthError
from broker.oidc import access, minting, resource
from broker.oidc.access import Access
from broker.oidc.client import Client
from broker.oidc.grant import Grant
from broker.oidc.token_request import Answer, TokenRequest, refused
from broker.web.tools import Tools

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  a name

LONGEST_CHAIN = 4
"""Services that may act one for another."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Tokens that may be exchanged: the subject's, and who is to act with the result."""

    subject: Access
    grant: Grant
    actor: str


class _Unacceptable(Exception):
    """A token of the request cannot be used so; the text says why."""


def exchange(tx: Session, asked: TokenRequest, tools: Tools, now: datetime) -> Answer:
    """An access token for the calling service to act with for the person (RFC 8693 §2.2)."""
    try:
        found = _read(tx, asked, now)
        act = _chain(found)
    except _Unacceptable as fault:
        # RFC 8693 §2.2.2: a token that is not acceptable is invalid_request, whichever it is.
        code = OAuthCode.INVALID_REQUEST
        return refused(tx, asked.client, str(fault), now, code=code)
    scope = frozenset(asked.form.get("scope", "").split()) or found.subject.scope
    if not scope <= found.subject.scope:
        return refused(
            tx, asked.client, "more scope than before", now, code=OAuthCode.INVALID_SCOPE
        )
    result = Access(
        client_id=asked.client.id,
        scope=scope - {"offline_access"},
        issued=now,
        expires=min(found.subject.expires, now + tools.settings.oidc.access_token_lifetime),
        grant=found.grant,
        audience=_audience(tx, asked, found.subject, tools.settings.issuer),
        cnf=asked.cnf,
        actor=act,
    )
    token = access.mint(tx, result, asked.client, tools, now)
    _record(tx, result, found, tools, now)
    return minting.said(token, result) | {"issued_token_type": ACCESS_TOKEN}


def _read(tx: Session, asked: TokenRequest, now: datetime) -> _Exchange:
    if asked.client.metadata.token_endpoint_auth_method == "none":  # noqa: S105  a method
        raise OAuthError(OAuthCode.UNAUTHORIZED_CLIENT, "only for clients that prove themselves")
    if asked.form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise _Unacceptable("only access tokens are issued")
    subject = _token(tx, asked.form, "subject_token", now)
    if subject is None or subject.grant is None:
        raise _Unacceptable("subject_token is missing, over, or speaks for no person")
    actor = _actor(tx, asked, now)
    may_act = subject.client.metadata.may_act if subject.client else None
    if not _may(asked.client, subject, may_act) or may_act not in {None, actor}:
        raise _Unacceptable("subject_token was not given for this")
    return _Exchange(subject, subject.grant, actor)


def _may(client: Client, subject: Access, may_act: str | None) -> bool:
    """Whether the token is this client's own, meant for it, or left to it by `may_act`."""
    own = subject.client_id == client.id
    return own or may_act == client.id or is_audience(client, subject)


def is_audience(client: Client, token: Access) -> bool:
    """Whether the token is meant for this client, or for an API that it registered as its own."""
    return bool({client.id, *client.metadata.resource_identifiers} & set(token.audience))


def _actor(tx: Session, asked: TokenRequest, now: datetime) -> str:
    """Who is to act: the calling client, or the service whose own token it may use."""
    if "actor_token" not in asked.form:
        if "actor_token_type" in asked.form:
            raise _Unacceptable("actor_token_type without actor_token")
        return asked.client.id
    actor = _token(tx, asked.form, "actor_token", now)
    if actor is None or actor.grant is not None:
        raise _Unacceptable("actor_token is over, or not a service's own")
    if actor.client_id != asked.client.id and not is_audience(asked.client, actor):
        raise _Unacceptable("actor_token is another service's")
    return actor.client_id


def _token(tx: Session, form: Mapping[str, str], name: str, now: datetime) -> Access | None:
    if form.get(f"{name}_type") != ACCESS_TOKEN:
        raise _Unacceptable(f"{name}_type must name an access token")
    return access.find(tx, form.get(name, ""), now)


def _chain(found: _Exchange) -> dict[str, Any]:
    """`act` of the result: who acts now outermost, who acted before inside (RFC 8693 §4.1)."""
    before, length = found.subject.actor, 1
    link: Mapping[str, Any] | None = before
    while link:
        link, length = link.get("act"), length + 1
    if length > LONGEST_CHAIN:
        raise _Unacceptable("too many services act one for another")
    return {"sub": found.actor} | ({"act": dict(before)} if before else {})


def _audience(tx: Session, asked: TokenRequest, subject: Access, issuer: str) -> tuple[str, ...]:
    named = resource.prove(tx, asked.resources, issuer)
    named += resource.prove_audiences(tx, asked.audiences)
    if issuer in named and not subject.is_for(issuer):
        # What the person is like is told here only to whom the first token was good for that.
        raise OAuthError(OAuthCode.INVALID_TARGET, "the token was not good here before")
    return named or subject.audience


def _record(tx: Session, result: Access, found: _Exchange, tools: Tools, now: datetime) -> None:
    token_id = entropy.token(tools.random, bits=128)
    facts = minting.issuance(found.grant, token_id) | {
        "client": result.client_id,
        "scope": sorted(result.scope),
        "given_by": found.subject.client_id,
        "actor": found.actor,
        "audience": list(result.audience),
    }
    del facts["token"]
    record(tx, "token.exchanged", facts, now)
