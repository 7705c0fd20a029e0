"""A refresh token → new tokens: rotated, its reuse detected, a lost answer repeated.

RFC 9700 §4.14.2 has each token spent by its use and the family revoked when one comes back. A
client that lost our answer comes back too: for a few seconds it gets the very same answer once
more. The answer is kept sealed under a key made from the spent token, so that neither we nor a
copy of the database can read it.
"""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from broker.audit.log import record
from broker.errors import OAuthCode
from broker.feature import evidence_of
from broker.oidc import grading, minting, resource, store
from broker.oidc.grant import Assurance, Grant, weigh
from broker.oidc.models import RefreshToken
from broker.oidc.token_request import Answer, Refusal, TokenRequest, refused, seen_before
from broker.oidc.witnessing import is_withheld
from broker.web.tools import Tools

_NONCE = 12


def rotate(tx: Session, asked: TokenRequest, tools: Tools, now: datetime) -> Answer:
    """New tokens for a refresh token, which is spent; the same ones again for a retry."""
    presented = asked.form.get("refresh_token", "")
    old = store.find_refresh_token(tx, presented)
    grant = store.find_grant(tx, old.grant_id) if old else None
    if old is None or grant is None or grant.client_id != asked.client.id or now >= old.expires:
        return refused(tx, asked.client, "the refresh token is unknown or expired", now)
    if not old.cnf.items() <= asked.cnf.items():
        return refused(tx, asked.client, "the refresh token is bound to another key", now, grant)
    scope = frozenset(asked.form.get("scope", "").split()) or frozenset(grant.scope)
    if not scope <= set(grant.scope):
        return Refusal(OAuthCode.INVALID_SCOPE, "the scope exceeds what was granted")
    audience = resource.within(asked.resources, grant.resource, tools.settings.issuer)
    assurance = _today(tx, grant, tools, now)
    if is_withheld(tx, assurance, tools.policy, now):
        unseen, code = "nobody has witnessed the record", OAuthCode.TEMPORARILY_UNAVAILABLE
        return refused(tx, asked.client, unseen, now, grant, code)
    # FAPI 2.0 Security Profile §5.3.2.1: tokens bound to a key are not rotated.
    rotates = asked.client.metadata.profile != "fapi2"
    if (rotates or old.spent) and not store.spend(tx, old.digest, now):
        return _once_more(tx, presented, old, asked, grant, tools, now)
    today = replace(minting.narrowed(grant, scope), assurance=assurance)
    grading.note(tx, assurance.policy, now)
    # Core §12.2: no nonce; the sign-in is the old one, the assurance is today's.
    renews = minting.Renewal(old.expires, rotates)
    answer = minting.tokens(
        tx, replace(today, nonce=None), asked, audience, tools, now, renews=renews
    )
    if rotates:
        sealed = _sealed(presented, answer, asked, tools)
        store.keep_answer(tx, old, store.digest(answer["refresh_token"]), sealed)
    return answer


def _today(tx: Session, grant: Grant, tools: Tools, now: datetime) -> Assurance:
    evidence = evidence_of(tools.features, tx, grant.account_id)
    return weigh(evidence, grant.authenticator, tools.policy, now, grant.acr_essential)


def _once_more(  # noqa: PLR0913  the spent token, who brings it, and what it bought
    tx: Session,
    presented: str,
    old: RefreshToken,
    asked: TokenRequest,
    grant: Grant,
    tools: Tools,
    now: datetime,
) -> Answer:
    tx.refresh(old)  # another transaction may have spent it since we read it
    if old.spent is not None and now < old.spent + tools.settings.oidc.refresh_grace:
        answer = _opened(presented, old.sealed, asked)
        if answer is not None and store.is_unspent(tx, old.successor):
            facts = {"account": grant.account_id, "client": asked.client.id, "grant": grant.id}
            record(tx, "token.repeated", facts, now)
            return answer
    return seen_before(tx, asked.client, "the refresh token was used before", now, grant)


def _sealed(presented: str, answer: dict[str, Any], asked: TokenRequest, tools: Tools) -> bytes:
    nonce = tools.random(_NONCE)
    plain = json.dumps(answer).encode()
    return nonce + AESGCM(_key(presented)).encrypt(nonce, plain, _same_request(asked))


def _opened(presented: str, sealed: bytes | None, asked: TokenRequest) -> dict[str, Any] | None:
    """The answer, or None where none is kept or where another thing was asked for."""
    if sealed is None:
        return None
    try:
        plain = AESGCM(_key(presented)).decrypt(
            sealed[:_NONCE], sealed[_NONCE:], _same_request(asked)
        )
    except InvalidTag:
        return None
    answer: dict[str, Any] = json.loads(plain)
    return answer


def _key(presented: str) -> bytes:
    # Not the digest that is stored: that one everybody with the database has.
    return hmac.new(presented.encode(), b"answer to a refresh", hashlib.sha256).digest()


def _same_request(asked: TokenRequest) -> bytes:
    """What a retry repeats: client, scope, resources and key. Anything else is no retry."""
    words = sorted(asked.form.get("scope", "").split())
    whole = (asked.client.id, words, sorted(asked.resources), sorted(asked.cnf.items()))
    return json.dumps(whole).encode()
