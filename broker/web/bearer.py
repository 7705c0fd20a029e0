"""The access token of a request (RFC 6750 §2)."""

from flask import request

from broker.errors import OAuthCode, OAuthError


def bearer_token(*, form_too: bool = False) -> str:
    """The token from the Authorization header, or from the form body where that is allowed.

    Never from the query: URLs end in logs. Raises OAuthError: invalid_token for none or a
    malformed one, invalid_request for two.
    """
    header = request.headers.get("Authorization", "")
    in_form = request.form.get("access_token", "") if form_too else ""
    if header and in_form:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "two access tokens")
    if in_form:
        return in_form
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise OAuthError(OAuthCode.INVALID_TOKEN, "no bearer token")
    return token.strip()
