"""The proof that a request comes from a registered client (RFC 6749 §2.3)."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from broker.errors import OAuthCode, OAuthError
from broker.oidc.client import Client
from broker.oidc.client_metadata import SECRET_METHODS
from broker.web.cookies import digest


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
    if client is None or credentials.method != client.metadata.token_endpoint_auth_method:
        raise OAuthError(OAuthCode.INVALID_CLIENT, "client authentication failed")
    if credentials.method in SECRET_METHODS and not same:
        raise OAuthError(OAuthCode.INVALID_CLIENT, "client authentication failed")
    return client


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
