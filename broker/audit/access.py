"""Who may read the record: the bearer of an access token of ours with the scope for it."""

import re
from datetime import datetime

from flask import request
from sqlalchemy.orm import Session

from broker.errors import OAuthCode, OAuthError
from broker.web.tools import Caller, tools

READ = "audit:read"

_BEARER = re.compile(r"bearer ([A-Za-z0-9._~+/-]{1,4096}=*)", re.IGNORECASE)
"""RFC 6750 §2.1; the token is taken from the header and from nowhere else."""


def require_scope(tx: Session, scope: str, now: datetime) -> Caller:
    """The caller of this request, whose access token allows `scope`.

    Raises OAuthError: invalid_token (401) or insufficient_scope (403), RFC 6750 §3.1.
    """
    header = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    read = tools().read_token
    if header is None or read is None:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "a bearer token in the header is needed")
    caller = read(tx, header[1], now)
    if scope not in caller.scope:
        raise OAuthError(OAuthCode.INSUFFICIENT_SCOPE, f"the scope {scope} is needed")
    return caller
