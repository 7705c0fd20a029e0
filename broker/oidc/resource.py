"""Whom a token is meant for: resource indicators (RFC 8707) and audiences (RFC 8693 §2.1)."""

import json
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from broker.errors import OAuthCode, OAuthError
from broker.oidc import store
from broker.oidc.models import ClientRow

MOST = 8
"""Resources of one request."""


def prove(
    tx: Session, resources: Iterable[str], issuer: str, *, redirectable: bool = False
) -> tuple[str, ...]:
    """The same resources, each the issuer or registered by a relying service as its own API.

    Raises OAuthError invalid_target (RFC 8707 §2).
    """
    named = tuple(dict.fromkeys(resources))
    known = len(named) <= MOST and all(r == issuer or _registered(tx, r) for r in named)
    if not known:
        raise OAuthError(
            OAuthCode.INVALID_TARGET, "no such resource is registered", redirectable=redirectable
        )
    return named


def within(asked: Iterable[str], granted: tuple[str, ...], issuer: str) -> tuple[str, ...]:
    """The resources asked for at the token endpoint, all of those granted where none is.

    Raises OAuthError invalid_target for one that the authorization request did not name
    (RFC 8707 §2.2).
    """
    named = tuple(dict.fromkeys(asked))
    if not set(named) <= set(granted or (issuer,)):
        raise OAuthError(OAuthCode.INVALID_TARGET, "the resource was not asked for before")
    return named or granted


def prove_audiences(tx: Session, audiences: Iterable[str]) -> tuple[str, ...]:
    """The same audiences, each the identifier of a registered client. Raises invalid_target."""
    named = tuple(dict.fromkeys(audiences))
    if len(named) > MOST or not all(store.find_client(tx, name) for name in named):
        raise OAuthError(OAuthCode.INVALID_TARGET, "no such audience is registered")
    return named


def _registered(tx: Session, resource: str) -> bool:
    # The text narrows the search; the parsed registration decides.
    holds = ClientRow.metadata_text.contains(json.dumps(resource), autoescape=True)
    found = (store.find_client(tx, name) for name in tx.scalars(select(ClientRow.id).where(holds)))
    return any(c is not None and resource in c.metadata.resource_identifiers for c in found)
