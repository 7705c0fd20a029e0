"""What a sign-out does to grants, and whom it concerns (Back-Channel Logout 1.0)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from broker import entropy, jose
from broker.accounts.subject import pairwise
from broker.consent import store as consents
from broker.errors import UpstreamUnavailable
from broker.oidc import store
from broker.oidc.client import Client
from broker.oidc.grant import Grant, seconds
from broker.oidc.logout import queue
from broker.web.tools import Tools, tools

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = timedelta(minutes=2)
"""Back-Channel Logout §2.4 recommends at most two minutes; every try makes a token of its own."""

_ACCEPTED = frozenset({200, 204})  # §2.8 of it: some frameworks answer an empty body with 204


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notice with what it takes to deliver it."""

    notice: queue.Notice
    address: str
    token: str


def tell(tx: Session, account_id: str, session_id: str | None) -> tuple[Mapping[str, str], ...]:
    """Names of the services that will be told; what was minted for the visit is void.

    Back-Channel Logout §2.7: a grant for offline use survives the end of one session. Signing
    out of every session is meant for the loss of a device: nothing survives that.
    """
    house, now = tools(), tools().clock()
    grants = store.grants_of(tx, account_id)
    ended = [grant for grant in grants if session_id in {None, grant.session}]
    for grant in ended:
        if session_id is None or "offline_access" not in grant.scope:
            store.revoke_grant(tx, grant.id, now)
    agreed = (c.client_id for c in consents.given(tx, account_id)) if session_id is None else ()
    found = (store.find_client(tx, name) for name in sorted({*_clients(ended), *agreed}))
    told = [client for client in found if client and client.metadata.backchannel_logout_uri]
    for client in told:
        whom = _whom(client, account_id, ended, house)
        for sid in _visits(client, ended, everywhere=session_id is None):
            queue.add(tx, client.id, whom, sid, now, house.random)
    return tuple(client.metadata.client_name for client in told)


def address(tx: Session, notice: queue.Notice, house: Tools, now: datetime) -> Addressed | None:
    """The notice with its token; None where the service is gone or wishes to hear nothing more."""
    client = store.find_client(tx, notice.client_id)
    if client is None or client.metadata.backchannel_logout_uri is None:
        return None
    claims = logout_claims(notice, house, now)
    alg = client.metadata.id_token_signed_response_alg
    token = jose.sign(claims, house.keyring, alg, now, typ="logout+jwt")
    return Addressed(notice, client.metadata.backchannel_logout_uri, token)


def logout_claims(notice: queue.Notice, house: Tools, now: datetime) -> dict[str, Any]:
    """The claims of a logout token (§2.4): never a nonce, so that it is no ID token."""
    claims: dict[str, Any] = {
        "iss": house.settings.issuer,
        "aud": notice.client_id,
        "iat": seconds(now),
        "exp": seconds(now + LIFETIME),
        "jti": entropy.token(house.random, bits=128),
        "events": {EVENT: {}},
        "sub": notice.subject,
    }
    return claims if notice.sid is None else claims | {"sid": notice.sid}


def send(addressed: Addressed, house: Tools) -> str | None:
    """Why it could not be delivered, or None: the service has heard (§2.5, §2.8)."""
    try:
        status = house.outbound.post(addressed.address, {"logout_token": addressed.token})
    except UpstreamUnavailable as error:
        return error.code
    return None if status in _ACCEPTED else f"status {status}"


def _clients(grants: Iterable[Grant]) -> set[str]:
    return {grant.client_id for grant in grants}


def _whom(client: Client, account_id: str, grants: Iterable[Grant], house: Tools) -> str:
    """The person as the client knows them; from consent alone, as it would have been told."""
    known = (grant.subject for grant in grants if grant.client_id == client.id)
    sector = client.metadata.sector_host
    return next(known, "") or pairwise(house.keyring.pairwise, sector, account_id)


def _visits(client: Client, grants: Iterable[Grant], *, everywhere: bool) -> list[str | None]:
    """The visits to name; None is "all of this person's", for services that need no name."""
    if everywhere and not client.metadata.backchannel_logout_session_required:
        return [None]
    return [*sorted({g.sid for g in grants if g.client_id == client.id and g.sid})]
