"""From a validated request to a code: park it while steps are owed, mint when none is.

Every function here works in the caller's transaction and returns where the browser goes next:
to a page of ours, by its path, or back to the service, by a Reply.
A refusal that the client hears of is recorded in that same transaction.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from broker import entropy, jose
from broker.accounts.session import touch
from broker.accounts.subject import pairwise, session_name
from broker.audit.log import record
from broker.errors import OAuthCode
from broker.feature import Asked, SignedIn, evidence_of
from broker.identity.assurance import acr_uri
from broker.interaction import store as interactions
from broker.measuring.catalogue import LOGINS
from broker.oidc import grading, pushed, resource, store
from broker.oidc.claims_request import acr_wish, names, personal, subject_asked
from broker.oidc.client import Client
from broker.oidc.client_metadata import ClientMetadata
from broker.oidc.dispatch import next_step
from broker.oidc.grant import Assurance, Grant, authenticated, met_names, weigh
from broker.oidc.minting import keep_code
from broker.oidc.request import AuthorizationRequest, ReplyAddress
from broker.oidc.response_mode import Reply, query_url, signing_alg
from broker.oidc.witnessing import is_withheld
from broker.web.tools import Tools

Onward = str | Reply
"""The path of a page of ours, or an answer to the service."""


def begin(  # noqa: PLR0913  who asks what, and for whom
    tx: Session,
    request: AuthorizationRequest,
    client: Client,
    signed_in: SignedIn | None,
    tools: Tools,
    now: datetime,
) -> Onward:
    """Where a new request sends the browser: to a step, or back with a code or a refusal.

    Raises OAuthError invalid_target, redirectable, for a resource that nobody registered.
    """
    resource.prove(tx, request.resource, tools.settings.issuer, redirectable=True)
    asked = _asked(request, client, signed_in, tools, now)
    if fault := _subject_fault(request, client, asked.signed_in, tools):
        if "none" in request.prompt:
            return refuse(tx, request, client, fault, tools, now)
        asked = replace(asked, signed_in=None)
    step = next_step(tools.features, tx, asked, now)
    if step is None:
        return _finish(tx, request, client, asked, tools, now)
    if "none" in request.prompt:
        return refuse(tx, request, client, step.refusal, tools, now)
    store.sweep(tx, now)
    handle = interactions.park(tx, asked, request.to_json(), tools.settings, tools.random)
    return f"{step.page}{handle}"


def resume(tx: Session, handle: str, tools: Tools, now: datetime) -> Onward:
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
    if _subject_fault(request, client, asked.signed_in, tools):
        # Core §3.1.2.1, id_token_hint: another person came than the service expects.
        return refuse(tx, request, client, OAuthCode.LOGIN_REQUIRED, tools, now)
    return _finish(tx, request, client, asked, tools, now)


def decline(tx: Session, handle: str, tools: Tools, now: datetime) -> Onward:
    """Back to the service with access_denied: the person said no."""
    request = AuthorizationRequest.from_json(interactions.find(tx, handle, now).request)
    interactions.drop(tx, handle)
    client = store.find_client(tx, request.client_id)
    if client is None:
        return "/"
    return refuse(tx, request, client, OAuthCode.ACCESS_DENIED, tools, now)


def refuse(  # noqa: PLR0913  to whom, what, and where to write it down
    tx: Session,
    request: AuthorizationRequest,
    client: Client,
    code: OAuthCode,
    tools: Tools,
    now: datetime,
) -> Reply:
    """The refusal as the service hears it, its trace in the record."""
    pushed.settle(tx, request, tools, now)
    record(tx, "code.refused", {"client": request.client_id, "reason": code.value}, now)
    tools.meter.count(LOGINS, "none", "refused")
    return reply(_address(request), client, tools, error=code.value)


def reply(address: ReplyAddress, client: Client, tools: Tools, **said: str) -> Reply:
    """What the client hears; `iss` in every answer, errors included (RFC 9207)."""
    state = {} if address.state is None else {"state": address.state}
    return Reply(
        address.redirect_uri,
        address.mode,
        client.id,
        signing_alg(client.metadata),
        said | state | {"iss": tools.settings.issuer},
    )


def _address(request: AuthorizationRequest) -> ReplyAddress:
    return ReplyAddress(request.redirect_uri, request.state, request.response_mode)


def _finish(  # noqa: PLR0913  everything meets here
    tx: Session,
    request: AuthorizationRequest,
    client: Client,
    asked: Asked,
    tools: Tools,
    now: datetime,
) -> Reply:
    account_id = asked.person()
    if asked.signed_in:
        # First: it makes a sign-out at this moment wait, and so hear of this very grant.
        touch(tx, asked.signed_in.session_id, now)
    authenticator, auth_time = authenticated(asked.signed_in) if asked.signed_in else ("", 0)
    evidence = evidence_of(tools.features, tx, account_id)
    essential, wish = _essential(request, tools), acr_wish(request.claims)
    assurance = weigh(evidence, authenticator, tools.policy, now, essential)
    if wish.essential and not _met(assurance, essential, tools):
        unmet = OAuthCode.UNMET_AUTHENTICATION_REQUIREMENTS
        return refuse(tx, request, client, unmet, tools, now)
    if is_withheld(tx, assurance, tools.policy, now):
        return refuse(tx, request, client, OAuthCode.TEMPORARILY_UNAVAILABLE, tools, now)
    grading.note(tx, assurance.policy, now)
    pushed.settle(tx, request, tools, now)
    session = asked.signed_in.session_id if asked.signed_in else None
    key, sector = tools.keyring.pairwise, client.metadata.sector_host
    code = entropy.dated(tools.random, now)
    grant = Grant(
        id=store.name_of(code),
        account_id=account_id,
        client_id=client.id,
        subject=pairwise(key, sector, account_id),
        scope=request.scope,
        authenticator=authenticator,
        auth_time=auth_time,
        assurance=assurance,
        nonce=request.nonce,
        session=session,
        sid=session and session_name(key, sector, session),
        acr_essential=essential,
        claims=request.claims,
        authorization_details=request.authorization_details,
        resource=request.resource,
    )
    keep_code(tx, grant, request, client, tools, now)
    facts = {"account": account_id, "client": client.id, "grant": grant.id}
    told = {"subject": grant.subject, "acr": grant.assurance.acr}
    record(tx, "code.issued", facts | told, now)
    tools.meter.count(LOGINS, grant.assurance.acr, "accepted")
    return reply(_address(request), client, tools, code=code)


def _essential(request: AuthorizationRequest, tools: Tools) -> tuple[str, ...]:
    """The policy's names of the `acr` values of which the client accepts no other."""
    wish, prefix = acr_wish(request.claims), acr_uri("", tools.settings.issuer)
    return tuple(
        v.removeprefix(prefix) for v in wish.values if wish.essential and v.startswith(prefix)
    )


def _met(assurance: Assurance, essential: tuple[str, ...], tools: Tools) -> bool:
    return bool(met_names(assurance.identity, assurance.authenticator, essential, tools.policy))


def _asked(
    request: AuthorizationRequest,
    client: Client,
    signed_in: SignedIn | None,
    tools: Tools,
    now: datetime,
) -> Asked:
    claims = personal(request.claims, tools.settings.issuer)
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
        claims=claims,
        claim_names=names(claims),
        details=request.authorization_details,
        start_again=_start_again(client, tools),
        links=_links(client.metadata),
    )


def _start_again(client: Client, tools: Tools) -> str | None:
    """Where the client begins a sign-in with us, as it registered (Core §4)."""
    url = client.metadata.initiate_login_uri
    return url and query_url(url, {"iss": tools.settings.issuer})


def _links(metadata: ClientMetadata) -> dict[str, str]:
    """Its own words, where it registered any, for the person who is to agree."""
    named = {"policy": metadata.policy_uri, "terms": metadata.tos_uri}
    return {name: url for name, url in named.items() if url is not None}


def _subject_fault(
    request: AuthorizationRequest, client: Client, signed_in: SignedIn | None, tools: Tools
) -> OAuthCode | None:
    """login_required where another person is signed in than the service asks for, else None.

    It asks by `id_token_hint`, or by a value of `sub` in `claims` (Core §5.5.1).
    """
    wanted = subject_asked(request.claims)
    if signed_in is None or (wanted is None and request.id_token_hint is None):
        return None
    subject = pairwise(tools.keyring.pairwise, client.metadata.sector_host, signed_in.account_id)
    if wanted is not None and subject not in wanted:
        return OAuthCode.LOGIN_REQUIRED
    if request.id_token_hint is None:
        return None
    try:
        hint = jose.verify(request.id_token_hint, tools.keyring).claims
    except jose.SignatureRejected:
        return OAuthCode.LOGIN_REQUIRED
    return None if hint.get("sub") == subject else OAuthCode.LOGIN_REQUIRED
