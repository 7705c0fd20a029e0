"""The form of a machine's request: in the body only, and no parameter twice (RFC 6749 §3.2)."""

from collections.abc import Collection
from dataclasses import dataclass

from flask import request

from broker.errors import OAuthCode, OAuthError

LONGEST = 16 * 1024
"""Characters of one value: the longest token that we look at."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent once by its name, and what may be sent several times."""

    once: dict[str, str]
    several: dict[str, tuple[str, ...]]


def read(several: Collection[str] = ()) -> Sent:
    """The form of this request; a parameter sent empty is as if absent.

    Raises OAuthError invalid_request.
    """
    if request.args:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "parameters belong in the body")
    once, lists = {}, {}
    for name, values in request.form.lists():
        if name in several:
            lists[name] = tuple(filter(None, values))
        elif len(values) > 1:
            raise OAuthError(OAuthCode.INVALID_REQUEST, "a parameter was sent more than once")
        elif values[0]:
            once[name] = values[0]
    return Sent(once, lists)


def token_of(sent: Sent) -> str:
    """The `token` that the request is about. Raises OAuthError invalid_request for none."""
    token = sent.once.get("token", "")
    if not token or len(token) > LONGEST:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "token is missing or too long")
    return token
