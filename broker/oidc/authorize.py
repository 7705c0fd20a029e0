"""From a validated request to a code: park it while steps are owed, mint when none is.

Every function here works in the caller's transaction and returns where the browser goes next.
A refusal that the client hears of is recorded in that same transaction.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from sqlalchemy.orm import Session

from broker import entropy, jose
from broker.accounts.session import touch
from broker.accounts.subject import pairwise
from broker.audit.log import record
from broker.errors import OAuthCode
from broker.feature import Asked, SignedIn, evidence_of
from broker.interaction import store as interactions
from broker.oidc import store
from broker.oidc.client import Client
from broker.oidc.dispatch import next_step
from broker.oidc.grant import Grant, authenticated, weigh
from broker.oidc.request import AuthorizationRequest
from broker.oidc.token import mint_code
from broker.web.tools import Tools


def begin(
    tx: Session, request: AuthorizationRequest, client: Client, tools: Tools, now: datetime
) -> str:
    """Where a new request sends the browser: to a step, or back with a code or a refusal."""
    asked = _asked(request, client, interactions.signed_in(tx, now), now)
    if fault := _hint_fault(request, client, asked.signed_in, tools):
        if "none" in request.prompt:
            return refuse(tx, request, fault, tools, now)
        asked = replace(asked, signed_in=None)
    step = next_step(tools.features, tx, asked, now)
    if step is None:
        return _finish(tx, request, client, asked, tools, now)
    if "none" in request.prompt:
        return refuse(tx, request, step.refusal, tools, now)
    store.sweep(tx, now)
    handle = interactions.park(tx, asked, request.to_json(), tools.settings, tools.random)
    return f"{step.page}{handle}"


def resume(tx: Session, handle: str, tools: Tools, now: datetime) -> str:
    """Where the browser goes after a step: to the next one, or back to the service.

    Raises NotFound where the interaction is over or another browser's.
    """
    request = AuthorizationRequest.from_json(interactions.find(tx, handle, now).request)
    asked = interactions.asked(tx, handle, now)
    client = store.find_client(tx, request.client_id)
    if client is None:
        # Removed while the person was on the way: there is nobody to send them back to.
        interactions.drop(tx, handle)
        return "/"
    step = next_step(tools.features, tx, asked, now)
    if step is not None:
        return f"{step.page}{handle}"
    interactions.drop(tx, handle)
    if _hint_fault(request, client, asked.signed_in, tools):
        # Core §3.1.2.1, id_token_hint: another person came than the service expects.
        return refuse(tx, request, OAuthCode.LOGIN_REQUIRED, tools, now)
    return _finish(tx, request, client, asked, tools, now)


def decline(tx: Session, handle: str, tools: Tools, now: datetime) -> str:
    """Back to the service with access_denied: the person said no."""
    request = AuthorizationRequest.from_json(interactions.find(tx, handle, now).request)
    interactions.drop(tx, handle)
    return refuse(tx, request, OAuthCode.ACCESS_DENIED, tools, now)


def refuse(
    tx: Session, request: AuthorizationRequest, code: OAuthCode, tools: Tools, now: datetime
) -> str:
    """The service's address with the refusal, its trace in the record."""
    record(tx, "code.refused", {"client": request.client_id, "reason": code.value}, now)
    return answer_url(request.redirect_uri, tools.settings.issuer, request.state, error=code.value)


def answer_url(redirect_uri: str, issuer: str, state: str | None, **values: str) -> str:
    """The redirect URI with the answer added to the query it was registered with.

    RFC 6749 §4.1.2; `iss` in every answer, errors included (RFC 9207).
    """
    parts = urlsplit(redirect_uri)
    answer = values | ({} if state is None else {"state": state}) | {"iss": issuer}
    query = "&".join(filter(None, (parts.query, urlencode(answer))))
    return urlunsplit(parts._replace(query=query))


def _finish(  # noqa: PLR0913  everything meets here
    tx: Session,
    request: AuthorizationRequest,
    client: Client,
    asked: Asked,
    tools: Tools,
    now: datetime,
) -> str:
    account_id = asked.person()
    authenticator, auth_time = authenticated(asked.signed_in) if asked.signed_in else ("", 0)
    evidence = evidence_of(tools.features, tx, account_id)
    grant = Grant(
        id=entropy.token(tools.random),
        account_id=account_id,
        client_id=client.id,
        subject=pairwise(tools.keyring.pairwise, client.metadata.sector_host, account_id),
        scope=request.scope,
        authenticator=authenticator,
        auth_time=auth_time,
        assurance=weigh(evidence, authenticator, tools.policy, now),
        nonce=request.nonce,
    )
    code = mint_code(tx, grant, request, tools, now)
    if asked.signed_in:
        touch(tx, asked.signed_in.session_id, now)
    facts = {"account": account_id, "client": client.id, "grant": grant.id}
    record(tx, "code.issued", facts | {"acr": grant.assurance.acr}, now)
    return answer_url(request.redirect_uri, tools.settings.issuer, request.state, code=code)


def _asked(
    request: AuthorizationRequest, client: Client, signed_in: SignedIn | None, now: datetime
) -> Asked:
    return Asked(
        client_id=client.id,
        client_name=client.metadata.client_name,
        purpose=client.metadata.purpose,
        redirect_origin=request.redirect_origin,
        scope=frozenset(request.scope),
        prompt=frozenset(request.prompt),
        acr_values=request.acr_values,
        max_age=None if request.max_age is None else timedelta(seconds=request.max_age),
        began=now,
        signed_in=signed_in,
    )


def _hint_fault(
    request: AuthorizationRequest, client: Client, signed_in: SignedIn | None, tools: Tools
) -> OAuthCode | None:
    """login_required where the hint names another person than is signed in, else None."""
    if request.id_token_hint is None or signed_in is None:
        return None
    try:
        hint = jose.verify(request.id_token_hint, tools.keyring).claims
    except jose.SignatureRejected:
        return OAuthCode.LOGIN_REQUIRED
    expected = pairwise(tools.keyring.pairwise, client.metadata.sector_host, signed_in.account_id)
    return None if hint.get("sub") == expected else OAuthCode.LOGIN_REQUIRED
