"""HTTP arguments → AuthorizationRequest: every check one small function, in one tuple.

OpenID Connect Core §3.1.2.1, RFC 6749 §4.1.1, RFC 7636, RFC 9700. Until client and
redirect_uri are proved, an error is a page; from then on it is a redirect.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from broker.errors import Malformed, OAuthCode, OAuthError
from broker.oidc.client import Client
from broker.oidc.client_metadata import SCOPES

Arguments = Mapping[str, Sequence[str]]
"""Parameter name → every value that was sent under it."""

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
SIZE_LIMIT = 6000
"""Characters of all names and values together: what every browser and proxy lets through."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636 §4.2: base64url of SHA-256
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_YEAR_S = 31_536_000


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check. `max_age` is in seconds."""

    client_id: str
    redirect_uri: str
    scope: tuple[str, ...]
    code_challenge: str
    state: str | None = None
    nonce: str | None = None
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    id_token_hint: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready rendering; `from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "AuthorizationRequest":
        """The request that `to_json` rendered."""
        lists = ("scope", "prompt", "acr_values")
        return cls(**{**kept, **{name: tuple(kept[name]) for name in lists}})

    @property
    def redirect_origin(self) -> str:
        """Scheme, host and port that the answer goes to."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where errors may be redirected to: a registered address, and the state to give back."""

    redirect_uri: str
    state: str | None


def given(arguments: Arguments, name: str) -> str | None:
    """The parameter's value; one sent empty is as if absent (RFC 6749 §3.1)."""
    values = arguments.get(name, ())
    return values[0] if values and values[0] else None


def prove_client(arguments: Arguments, find: Callable[[str], Client | None]) -> Client:
    """The registered client that the request names. Raises Malformed: no redirect is safe yet."""
    client_id = _single(arguments, "client_id")
    client = find(client_id) if client_id and not _CONTROL.search(client_id) else None
    if client is None:
        raise Malformed("client_unknown")
    return client


def prove_reply_address(arguments: Arguments, client: Client) -> ReplyAddress:
    """Where to answer: the redirect_uri equals a registered one, character by character.

    RFC 9700 §4.1.3. Raises Malformed: anything else would be an open redirect.
    """
    redirect_uri = _single(arguments, "redirect_uri")
    if redirect_uri not in client.metadata.redirect_uris:
        raise Malformed("redirect_uri_unknown")
    states = arguments.get("state", ())
    sane = len(states) == 1 and not _CONTROL.search(states[0])
    return ReplyAddress(redirect_uri, states[0] if sane and states[0] else None)


def parse(arguments: Arguments, client: Client) -> AuthorizationRequest:
    """The validated request. Raises OAuthError, redirectable."""
    for check in CHECKS:
        check(arguments, client)
    max_age = given(arguments, "max_age")
    return AuthorizationRequest(
        client_id=client.id,
        redirect_uri=str(given(arguments, "redirect_uri")),
        scope=tuple(sorted(_scope(arguments, client))),
        code_challenge=str(given(arguments, "code_challenge")),
        state=given(arguments, "state"),
        nonce=given(arguments, "nonce"),
        prompt=tuple(sorted(_words(arguments, "prompt"))),
        max_age=None if max_age is None else int(max_age),
        acr_values=tuple(_words(arguments, "acr_values")),
        id_token_hint=given(arguments, "id_token_hint"),
    )


def _sent_once(arguments: Arguments, _client: Client) -> None:
    # RFC 6749 §3.1: parameters MUST NOT be included more than once. `resource` may (RFC 8707).
    for name, values in arguments.items():
        if len(values) > 1 and name != "resource":
            _refuse(OAuthCode.INVALID_REQUEST, "a parameter was sent more than once")


def _of_sane_size(arguments: Arguments, _client: Client) -> None:
    if sum(len(k) + len(v) for k, vs in arguments.items() for v in vs) > SIZE_LIMIT:
        _refuse(OAuthCode.INVALID_REQUEST, "the request is too long")


def _printable(arguments: Arguments, _client: Client) -> None:
    # RFC 6749 appendix A; a NUL would also be refused by PostgreSQL, as a 5xx.
    if any(_CONTROL.search(value) for values in arguments.values() for value in values):
        _refuse(OAuthCode.INVALID_REQUEST, "a parameter contains control characters")


def _no_request_object(arguments: Arguments, _client: Client) -> None:
    # Core §3.1.2.6: refused by name, never ignored: its contents would override ours.
    for name, code in (
        ("request", OAuthCode.REQUEST_NOT_SUPPORTED),
        ("request_uri", OAuthCode.REQUEST_URI_NOT_SUPPORTED),
        ("registration", OAuthCode.REGISTRATION_NOT_SUPPORTED),
    ):
        if name in arguments:
            _refuse(code, f"{name} is not supported")


def _code_flow(arguments: Arguments, client: Client) -> None:
    # RFC 9700 §2.1.2: no token ever travels in a URL.
    response_type = given(arguments, "response_type")
    if response_type is None:
        _refuse(OAuthCode.INVALID_REQUEST, "response_type is missing")
    if response_type != "code":
        _refuse(OAuthCode.UNSUPPORTED_RESPONSE_TYPE, "only the code flow is offered")
    if "authorization_code" not in client.metadata.grant_types:
        _refuse(OAuthCode.UNAUTHORIZED_CLIENT, "the client did not register the code flow")
    if given(arguments, "response_mode") not in {None, "query"}:
        _refuse(OAuthCode.INVALID_REQUEST, "response_mode must be query")


def _openid_scope(arguments: Arguments, client: Client) -> None:
    asked = set(_words(arguments, "scope"))
    if "openid" not in asked:
        _refuse(OAuthCode.INVALID_SCOPE, "scope must contain openid")
    # Core §3.1.2.1: values not understood are ignored; known ones need a registration.
    if beyond := (asked & set(SCOPES)) - client.metadata.scope:
        _refuse(OAuthCode.INVALID_SCOPE, f"not registered for {' '.join(sorted(beyond))}")


def _pkce(arguments: Arguments, _client: Client) -> None:
    # RFC 9700 §2.1.1, required of everyone; `plain` protects nothing.
    if given(arguments, "code_challenge_method") != "S256":
        _refuse(OAuthCode.INVALID_REQUEST, "code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(given(arguments, "code_challenge") or ""):
        _refuse(OAuthCode.INVALID_REQUEST, "code_challenge must be 43 base64url characters")


def _prompt(arguments: Arguments, _client: Client) -> None:
    prompt = set(_words(arguments, "prompt"))
    if prompt - PROMPTS:
        _refuse(OAuthCode.INVALID_REQUEST, "unknown prompt")
    if "none" in prompt and len(prompt) > 1:
        _refuse(OAuthCode.INVALID_REQUEST, "prompt=none stands alone")


def _max_age(arguments: Arguments, _client: Client) -> None:
    text = given(arguments, "max_age")
    if text is None:
        return
    if not (text.isascii() and text.isdigit()) or len(text) > 8 or int(text) > _YEAR_S:  # noqa: PLR2004
        _refuse(OAuthCode.INVALID_REQUEST, "max_age must be seconds, at most a year")


CHECKS: tuple[Callable[[Arguments, Client], None], ...] = (
    _sent_once,
    _of_sane_size,
    _printable,
    _no_request_object,
    _code_flow,
    _openid_scope,
    _pkce,
    _prompt,
    _max_age,
)
"""All that a request must pass once its client and reply address are proved."""


def _scope(arguments: Arguments, client: Client) -> set[str]:
    asked = set(_words(arguments, "scope")) & set(SCOPES) & client.metadata.scope
    if "refresh_token" not in client.metadata.grant_types:
        asked.discard("offline_access")  # Core §11: ignored where it cannot be honoured
    asked.discard("audit:read")
    return asked


def _words(arguments: Arguments, name: str) -> list[str]:
    return (given(arguments, name) or "").split(" ") if given(arguments, name) else []


def _single(arguments: Arguments, name: str) -> str:
    values = arguments.get(name, ())
    return values[0] if len(values) == 1 else ""


def _refuse(code: OAuthCode, hint: str) -> NoReturn:
    raise OAuthError(code, hint, redirectable=True)
