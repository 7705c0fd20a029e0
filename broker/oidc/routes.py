"""The OpenID desk's endpoints: HTTP in, HTTP out, one transaction each."""

from time import perf_counter

from flask import Blueprint, Response, jsonify, request

from broker.db import reading, transaction
from broker.feature import ClaimsAsked, claims_of
from broker.measuring.catalogue import TOKENS
from broker.oidc import access, form, nesting, possession, publishing
from broker.oidc.claims import told_to, userinfo_claims
from broker.oidc.client_door import proved_client
from broker.oidc.token import answerer
from broker.oidc.token_request import Refusal, TokenRequest
from broker.web import csrf
from broker.web.bearer import presented
from broker.web.headers import TO_EVERYONE
from broker.web.tools import tools

pages = Blueprint("oidc", __name__)

for door in ("token", "userinfo"):
    csrf.exempt(f"oidc.{door}")

_CROSS_ORIGIN = frozenset(
    f"oidc.{door}"
    for door in (
        "discovery",
        "keys",
        "token",
        "userinfo",
        "introspection.introspect",
        "revocation.revoke",
        "requests.push",
    )
)

SEVERAL = ("resource", "audience")
"""Parameters of /token that may be sent several times (RFC 8707 §2, RFC 8693 §2.1)."""


@pages.post("/token")
def token() -> Response:
    """The token endpoint (Core §3.1.3): all of it in one transaction."""
    app, now, began = tools(), tools().clock(), perf_counter()
    sent = form.read(several=SEVERAL)
    with proved_client(sent.once) as (tx, client):
        answered = answerer(sent.once.get("grant_type", ""), client)
        asked = TokenRequest(
            client=client,
            form=sent.once,
            resources=sent.several.get("resource", ()),
            audiences=sent.several.get("audience", ()),
            cnf=possession.proved(tx, client, app, now),
        )
        answer = answered(tx, asked, app, now)
    if isinstance(answer, Refusal):
        raise answer.error()
    if "id_token" in answer:  # here, because the client's keys may have to be fetched
        answer |= {"id_token": nesting.nested(answer["id_token"], client, "id_token", now)}
    app.meter.observe(TOKENS, perf_counter() - began, sent.once["grant_type"])
    return jsonify(answer)


@pages.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Claims about the person behind an access token (Core §5.3)."""
    app, now, brought = tools(), tools().clock(), presented(form_too=True)
    # A proof is used up, which is written down; a bare token is only read.
    unit = reading if brought.unverified_proof is None else transaction
    with unit() as tx:
        found = access.presented(tx, brought, app, now)
        grant = access.behind(found)
        asked = ClaimsAsked(frozenset(grant.scope), grant.claims.get("userinfo", {}))
        said = claims_of(app.features, tx, grant.account_id, asked, now)
    claims = userinfo_claims(grant, told_to(grant, said, app.keyring.pairwise))
    if found.client is None or not nesting.userinfo_is_jwt(found.client.metadata):
        return jsonify(claims)
    return Response(
        nesting.userinfo(claims, found.client, app.keyring, app.settings.issuer, now),
        mimetype="application/jwt",
    )


@pages.get("/.well-known/oauth-authorization-server")
@pages.get("/.well-known/openid-configuration")
def discovery() -> Response:
    """The provider's metadata, at the address of either standard (RFC 8414 §3)."""
    return publishing.answer("metadata")


@pages.get("/jwks")
def keys() -> Response:
    """The public keys, future ones included, so that caches know them before they sign."""
    return publishing.answer("keys")


@pages.after_request
def _allow_other_origins(response: Response) -> Response:
    # Browser clients call these; none of them looks at a cookie.
    if request.endpoint in _CROSS_ORIGIN:
        response.headers.extend(TO_EVERYONE)
    return response
