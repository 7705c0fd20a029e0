"""The access token of a request (RFC 6750 §2, RFC 9449 §7.1): the one place that reads it."""

import re

from flask import request

from broker.errors import OAuthCode, OAuthError
from broker.web.tools import Presented

SCHEMES = frozenset({"bearer", "dpop"})

DPOP_ALGORITHMS = ("ES256", "PS256", "EdDSA")
"""Signatures of DPoP proofs that are looked at, the usual one first."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*")  # RFC 6750 §2.1


def presented(*, form_too: bool = False) -> Presented:
    """The token from the Authorization header, or from the form body where that is allowed.

    Never from the query: URLs end in logs. Raises OAuthError: invalid_token for none or a
    malformed one, invalid_request for two.
    """
    header = request.headers.get("Authorization", "")
    in_form = request.form.get("access_token", "") if form_too else ""
    if header and in_form:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "two access tokens")
    return read(f"Bearer {in_form}" if in_form else header, request.headers.get("DPoP"))


def read(authorization: str, unverified_proof: str | None = None) -> Presented:
    """The token of an Authorization header. Raises OAuthError invalid_token."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() not in SCHEMES or not _TOKEN.fullmatch(token.strip(" ")):
        raise OAuthError(OAuthCode.INVALID_TOKEN, "no access token in the header")
    return Presented(token.strip(" "), scheme.lower(), unverified_proof)
