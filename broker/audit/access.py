"""Who may read the record: the bearer of an access token of ours with the scope for it."""

from datetime import datetime

from sqlalchemy.orm import Session

from broker.errors import OAuthCode, OAuthError
from broker.web.bearer import presented
from broker.web.tools import Caller, tools

READ = "audit:read"


def require_scope(tx: Session, scope: str, now: datetime) -> Caller:
    """The caller of this request, whose access token allows `scope`.

    Raises OAuthError: invalid_token (401) or insufficient_scope (403), RFC 6750 §3.1.
    """
    brought, read = presented(), tools().read_token
    if read is None:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "nobody here reads access tokens")
    caller = read(tx, brought, now)
    if scope not in caller.scope:
        raise OAuthError(OAuthCode.INSUFFICIENT_SCOPE, f"the scope {scope} is needed")
    return caller
