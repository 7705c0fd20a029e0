"""HTTP arguments → LogoutRequest: what is wrong with one is a page, never a redirect.

OpenID Connect RP-Initiated Logout 1.0 §2, §3.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from broker import jose
from broker.errors import Malformed
from broker.keyring import Keyring
from broker.oidc.client import Client
from broker.oidc.request import Arguments, given

FindClient = Callable[[str], Client | None]

_ONCE = ("id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state")
_LONGEST_STATE = 2048
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A request that passed every check.

    `redirect_uri` is a registered address of the client `client_id`. `subject` and `sid` are
    those of an ID token that we signed for this client; None where none was shown.
    """

    client_id: str | None = None
    redirect_uri: str | None = None
    state: str | None = None
    subject: str | None = None
    sid: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready rendering: the arguments of the class."""
        return asdict(self)

    @property
    def answer_url(self) -> str | None:
        """The registered address with the state added to its query (§3), or None."""
        if self.redirect_uri is None or self.state is None:
            return self.redirect_uri
        parts = urlsplit(self.redirect_uri)
        query = "&".join(filter(None, (parts.query, urlencode({"state": self.state}))))
        return urlunsplit(parts._replace(query=query))

    @property
    def origin(self) -> str | None:
        """Scheme, host and port that the answer goes to, or None."""
        if self.redirect_uri is None:
            return None
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


def parse(
    arguments: Arguments, find_client: FindClient, keyring: Keyring, issuer: str
) -> LogoutRequest:
    """The validated request.

    Raises Malformed: malformed, logout_hint_rejected, client_unknown, redirect_uri_unknown.
    """
    _demand_sane(arguments)
    hint = _hint(arguments, keyring, issuer)
    client_id = given(arguments, "client_id")
    if hint and client_id and client_id != hint["aud"]:
        raise Malformed("logout_hint_rejected", "the hint was made for another client")
    client_id = client_id or (hint["aud"] if hint else None)
    client = find_client(client_id) if client_id else None
    if client_id and client is None:
        raise Malformed("client_unknown")
    return LogoutRequest(
        client_id=client_id,
        redirect_uri=_redirect_uri(arguments, client),
        state=given(arguments, "state"),
        subject=hint["sub"] if hint else None,
        sid=hint.get("sid") if hint else None,
    )


def _demand_sane(arguments: Arguments) -> None:
    for name in _ONCE:
        values: Sequence[str] = arguments.get(name, ())
        if len(values) > 1 or any(_CONTROL.search(value) for value in values):
            raise Malformed("malformed", f"{name} twice, or with control characters")
    if len(given(arguments, "state") or "") > _LONGEST_STATE:
        raise Malformed("malformed", "state is too long")


def _hint(arguments: Arguments, keyring: Keyring, issuer: str) -> Mapping[str, Any] | None:
    """The claims of the ID token that was shown; however old it is (§4), it must be ours."""
    token = given(arguments, "id_token_hint")
    if token is None:
        return None
    try:
        claims = jose.verify(token, keyring).claims
    except jose.SignatureRejected as error:
        raise Malformed("logout_hint_rejected", str(error)) from None
    texts = (claims.get("aud"), claims.get("sub"), claims.get("sid", ""))
    if claims.get("iss") != issuer or not all(isinstance(text, str) for text in texts):
        raise Malformed("logout_hint_rejected", "not an ID token of ours")
    return claims


def _redirect_uri(arguments: Arguments, client: Client | None) -> str | None:
    """The address, equal to a registered one character by character (§3). Raises Malformed."""
    uri = given(arguments, "post_logout_redirect_uri")
    if uri is None:
        return None
    if client is None or uri not in client.metadata.post_logout_redirect_uris:
        raise Malformed("redirect_uri_unknown")
    return uri
