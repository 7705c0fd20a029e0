"""A registered relying service, and the proof that a request comes from it."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus, urlsplit

from broker.errors import OAuthCode, OAuthError
from broker.web.cookies import digest

METHODS = ("client_secret_basic", "client_secret_post", "none")
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")

SCOPES: Mapping[str, str] = {
    "openid": "an ID token with a pairwise subject",
    "profile": "names, birth date and gender as the person declared or proved them",
    "document": "number, kind, issuing state and expiry of the document shown",
    "assurance": "verified_claims: what was checked, how, and how sure that makes us",
    "offline_access": "a refresh token",
    "audit:read": "the record (client credentials only)",
}
"""Every scope value there is, and what it gives."""

_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Client:
    """A registered relying service; `secret` is the SHA-256 of a 256-bit random secret.

    The secret is high-entropy, so one round of SHA-256 is as good as a slow hash and 40 times
    cheaper on every token request.
    """

    id: str
    auth_method: str
    name: Mapping[str, str]
    purpose: Mapping[str, str]
    redirect_uris: tuple[str, ...]
    grant_types: frozenset[str]
    scope: frozenset[str]
    sector: str
    id_token_alg: str
    secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a token request says about who sends it; nothing of it is proved yet."""

    client_id: str
    method: str
    unverified_secret: str = field(default="", repr=False)


def read_credentials(authorization: str | None, form: Mapping[str, str]) -> Credentials:
    """The credentials of a token request (RFC 6749 §2.3.1).

    Raises OAuthError: invalid_request for two methods at once, invalid_client for none.
    """
    if authorization:
        if "client_secret" in form:
            raise OAuthError(OAuthCode.INVALID_REQUEST, "two client authentication methods")
        found = _basic(authorization)
        if form.get("client_id", found.client_id) != found.client_id:
            raise OAuthError(OAuthCode.INVALID_REQUEST, "client_id differs from the header's")
        return found
    if not form.get("client_id"):
        raise OAuthError(OAuthCode.INVALID_CLIENT, "no client authentication")
    if "client_secret" in form:
        return Credentials(form["client_id"], "client_secret_post", form["client_secret"])
    return Credentials(form["client_id"], "none")


def authenticate(client: Client | None, credentials: Credentials) -> Client:
    """The client, proved by the one method it registered. Raises OAuthError invalid_client."""
    presented = digest(credentials.unverified_secret)
    expected = (client and client.secret) or digest("")
    # Compared for unknown clients as well, so that time tells nothing.
    same = hmac.compare_digest(presented, expected)
    if client is None or credentials.method != client.auth_method:
        raise OAuthError(OAuthCode.INVALID_CLIENT, "client authentication failed")
    if client.auth_method != "none" and not same:
        raise OAuthError(OAuthCode.INVALID_CLIENT, "client authentication failed")
    return client


def redirect_uri_fault(uri: str) -> str | None:
    """Why `uri` may not be registered, or None if it may (RFC 8252 §7, RFC 9700 §4.1)."""
    try:
        parts = urlsplit(uri)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError:
        return "it is not a URL"
    if re.search(r"[\x00-\x20\x7f\\*]", uri) or not uri.isascii():
        return "it contains a character that has no place there"
    if not parts.hostname or not port_is_sane or parts.username is not None:
        return "it must name a host, and no user"
    if "#" in uri:
        return "it has a fragment"
    local = parts.netloc.rsplit(":", 1)[0] in _LOCAL
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        return "it must be https (http is for this machine only)"
    return None


def _basic(authorization: str) -> Credentials:
    scheme, _, encoded = authorization.partition(" ")
    refused = OAuthError(OAuthCode.INVALID_CLIENT, "malformed Authorization header")
    if scheme.lower() != "basic":
        raise refused
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise refused from None
    client_id, colon, secret = text.partition(":")
    if not colon or not client_id:
        raise refused
    # RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    return Credentials(unquote_plus(client_id), "client_secret_basic", unquote_plus(secret))
