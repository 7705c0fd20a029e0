"""The short way through the OpenID desk: what nearly every request asks, without Flask.

Each door here goes by the same rules as its route, in the same order, in a brief unit of work.
What is rare (pages, proofs of possession, keys that must be fetched, refresh tokens, refusals)
is left to the route.
"""

import json
from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from broker.accounts import session as sessions
from broker.brief import NotBrief
from broker.db import briefly, reading_briefly
from broker.feature import ClaimsAsked, claims_of
from broker.measuring.catalogue import TOKENS
from broker.oidc import access, authorize, introspection, nesting, publishing, request_object, store
from broker.oidc.claims import told_to, userinfo_claims
from broker.oidc.client import Client
from broker.oidc.client_authentication import Credentials, authenticate, read_credentials
from broker.oidc.request import parse, prove_client, prove_reply_address
from broker.oidc.response_mode import Reply, query_url
from broker.oidc.token import answerer
from broker.oidc.token_request import Refusal, TokenRequest
from broker.web import bearer, cookies
from broker.web.headers import TO_EVERYONE
from broker.web.lane import Answer, Doors, Told, form, once, query
from broker.web.locale import ASKED
from broker.web.tools import Tools, tools

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BRIEF_GRANTS: Final = frozenset({"authorization_code", "client_credentials"})
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


def authorize_briefly(environ: "WSGIEnvironment") -> Answer:
    """`/authorize` for a person who is signed in and owes no step: back to the service."""
    house, arguments = tools(), query(environ)
    if not request_object.is_plain(arguments) or ASKED in arguments:
        raise NotBrief("to be opened, or in a language")
    now, cookie = house.clock(), cookies.sent(environ, cookies.SESSION)
    with briefly() as tx:
        client = prove_client(arguments, lambda name: store.find_client(tx, name))
        if client.metadata.pushes or client.metadata.require_signed_request_object:
            raise NotBrief("a request of another kind")
        prove_reply_address(arguments, client)
        asked = parse(arguments, client)
        signed_in = sessions.find(tx, cookie, now, house.settings.authentication)
        onward = authorize.begin(tx, asked, client, signed_in, house, now)
        if not isinstance(onward, Reply) or onward.mode != "query":
            raise NotBrief("a page")
    location = query_url(onward.redirect_uri, onward.said)
    return Answer("303 SEE OTHER", (("Location", location), *_NOTHING))


def token_briefly(environ: "WSGIEnvironment") -> Answer:
    """`/token` for a code, and for a client's own token."""
    house, began = tools(), perf_counter()
    now, (sent, shown) = house.clock(), _credentials(environ, house)
    if sent.get("grant_type") not in _BRIEF_GRANTS:
        raise NotBrief("another grant")
    with briefly() as tx:
        client = authenticate(tx, shown, None, now)
        said = client.metadata
        bound = said.dpop_bound_access_tokens or said.tls_client_certificate_bound_access_tokens
        if bound or said.id_token_encrypted_response_alg:
            raise NotBrief("bound or encrypted")
        answer = answerer(sent["grant_type"], client)(tx, TokenRequest(client, sent), house, now)
    if isinstance(answer, Refusal):
        raise Told(answer.error())
    house.meter.observe(TOKENS, perf_counter() - began, sent["grant_type"])
    return _json(answer)


def userinfo_briefly(environ: "WSGIEnvironment") -> Answer:
    """`/userinfo` for a token in the header that anybody may present."""
    house = tools()
    now, brought = house.clock(), bearer.read(environ.get("HTTP_AUTHORIZATION", ""))
    if "HTTP_DPOP" in environ or brought.scheme != "bearer":
        raise NotBrief("a proof of possession")
    with reading_briefly() as tx:
        found = access.find(tx, brought.unverified_token, now)
        if found is None or found.cnf or not found.is_for(house.settings.issuer):
            raise NotBrief("bound, or not good here")
        grant = access.behind(found)
        if found.client is None or nesting.userinfo_is_jwt(found.client.metadata):
            raise NotBrief("a token")
        asked = ClaimsAsked(frozenset(grant.scope), grant.claims.get("userinfo", {}))
        said = claims_of(house.features, tx, grant.account_id, asked, now)
    return _json(userinfo_claims(grant, told_to(grant, said, house.keyring.pairwise)))


def introspect_briefly(environ: "WSGIEnvironment") -> Answer:
    """`/introspect` for an access token, answered in plain JSON."""
    house = tools()
    now, (sent, shown) = house.clock(), _credentials(environ, house)
    token = sent.get("token", "")
    if not token or introspection.SIGNED in environ.get("HTTP_ACCEPT", ""):
        raise NotBrief("no token, or a signed answer")
    with reading_briefly() as tx:
        client: Client = authenticate(tx, shown, None, now)
        return _json(introspection.told(tx, token, client, house, now))


DOORS: Final[Doors] = {
    ("GET", "/authorize"): authorize_briefly,
    ("POST", "/token"): token_briefly,
    ("GET", "/userinfo"): userinfo_briefly,
    ("POST", "/introspect"): introspect_briefly,
}
DOCUMENTS: Final[Doors] = {
    ("GET", path): publishing.door(name) for path, name in publishing.DOORS.items()
}
"""Together all that the short way serves."""

_NOTHING: Final = (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "0"))


def _credentials(environ: "WSGIEnvironment", house: Tools) -> tuple[dict[str, str], Credentials]:
    """The form, and who says to have sent it. Raises NotBrief where a key is to prove it."""
    certified = house.settings.tls.client_certificate_header.replace("-", "_").upper()
    if "HTTP_DPOP" in environ or (certified and environ.get(f"HTTP_{certified}")):
        raise NotBrief("a proof of possession")
    sent = once(form(environ), ("resource", "audience"))
    shown = read_credentials(environ.get("HTTP_AUTHORIZATION"), sent)
    if shown.by_key:
        raise NotBrief("a key")
    return sent, shown


def _json(value: Mapping[str, Any]) -> Answer:
    """As Flask writes it."""
    body = f"{_ENCODE(value)}\n".encode()
    length = ("Content-Length", str(len(body)))
    return Answer("200 OK", (("Content-Type", "application/json"), length, *TO_EVERYONE), body)
