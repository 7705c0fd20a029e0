"""HTTP arguments → AuthorizationRequest: every check one small function, in one tuple.

OpenID Connect Core §3.1.2.1, RFC 6749 §4.1.1, RFC 7636, RFC 9700. Until client and
redirect_uri are proved, an error is a page; from then on it is a redirect.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

from broker.errors import Malformed, OAuthCode, OAuthError
from broker.oidc import response_mode
from broker.oidc.authorization_details import read_details
from broker.oidc.claims_request import acr_wish, read_claims
from broker.oidc.client import Client
from broker.oidc.client_metadata import SCOPES
from broker.oidc.strict_json import JsonRefused

Arguments = Mapping[str, Sequence[str]]
"""Parameter name → every value that was sent under it."""

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
SIZE_LIMIT = 6000
"""Characters of all names and values together: what every browser and proxy lets through.

`claims` and `authorization_details` are not counted: each has a limit of its own.
"""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636 §4.2: base64url of SHA-256
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_YEAR_S = 31_536_000
_MEASURED_ELSEWHERE = frozenset({"claims", "authorization_details"})


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check. `max_age` is in seconds.

    `pushed` is the request_uri that it was kept under (RFC 9126), None where it came directly.
    """

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
    dpop_jkt: str | None = None
    resource: tuple[str, ...] = ()
    response_mode: str = "query"
    claims: dict[str, Any] = field(default_factory=dict)
    authorization_details: tuple[dict[str, Any], ...] = ()
    pushed: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready rendering; `from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "AuthorizationRequest":
        """The request that `to_json` rendered."""
        fields: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()
        }
        return cls(**fields)

    @property
    def redirect_origin(self) -> str:
        """Scheme, host and port that the answer goes to."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where and how errors may be sent: a registered address, the state to give back, the mode."""

    redirect_uri: str
    state: str | None
    mode: str = "query"


def given(arguments: Arguments, name: str) -> str | None:
    """The parameter's value; one sent empty is as if absent (RFC 6749 §3.1)."""
    values = arguments.get(name)
    return values[0] or None if values else None


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
    address = known_reply_address(arguments, client)
    if address is None:
        raise Malformed("redirect_uri_unknown")
    return address


def known_reply_address(arguments: Arguments, client: Client) -> ReplyAddress | None:
    """The same, None where there is no such address."""
    redirect_uri = _single(arguments, "redirect_uri")
    if redirect_uri not in client.metadata.redirect_uris:
        return None
    states = arguments.get("state", ())
    sane = len(states) == 1 and not _CONTROL.search(states[0])
    mode = _mode(arguments, client) or response_mode.default_mode(client.metadata)
    return ReplyAddress(redirect_uri, states[0] if sane and states[0] else None, mode)


def parse(arguments: Arguments, client: Client) -> AuthorizationRequest:
    """The validated request. Raises OAuthError, redirectable."""
    for check in CHECKS:
        check(arguments, client)
    max_age, claims = given(arguments, "max_age"), _claims(arguments, client)
    return AuthorizationRequest(
        client_id=client.id,
        redirect_uri=str(given(arguments, "redirect_uri")),
        scope=tuple(sorted(_scope(arguments, client))),
        code_challenge=str(given(arguments, "code_challenge")),
        state=given(arguments, "state"),
        nonce=given(arguments, "nonce"),
        prompt=tuple(sorted(_words(arguments, "prompt"))),
        max_age=client.metadata.default_max_age if max_age is None else int(max_age),
        acr_values=_acr_values(arguments, claims, client),
        id_token_hint=given(arguments, "id_token_hint"),
        response_mode=str(_mode(arguments, client)),
        claims=claims,
        authorization_details=_details(arguments, client),
        dpop_jkt=given(arguments, "dpop_jkt"),
        resource=tuple(sorted(set(filter(None, arguments.get("resource", ()))))),
    )


def _sent_once(arguments: Arguments, _client: Client) -> None:
    # RFC 6749 §3.1: parameters MUST NOT be included more than once. `resource` may (RFC 8707).
    for name, values in arguments.items():
        if len(values) > 1 and name != "resource":
            _refuse(OAuthCode.INVALID_REQUEST, "a parameter was sent more than once")


def _of_sane_size(arguments: Arguments, _client: Client) -> None:
    size = 0
    for name, values in arguments.items():
        if name not in _MEASURED_ELSEWHERE:
            size += sum(map(len, values), len(name) * len(values))
    if size > SIZE_LIMIT:
        _refuse(OAuthCode.INVALID_REQUEST, "the request is too long")


def _printable(arguments: Arguments, _client: Client) -> None:
    # RFC 6749 appendix A; a NUL would also be refused by PostgreSQL, as a 5xx.
    if _CONTROL.search(" ".join(map(" ".join, arguments.values()))):
        _refuse(OAuthCode.INVALID_REQUEST, "a parameter contains control characters")


def _nothing_by_reference(arguments: Arguments, _client: Client) -> None:
    # What `request` and `request_uri` hold was put in their place before: there is none within
    # another (RFC 9101 §4). Refused by name, never ignored: its contents would override ours.
    if "request" in arguments or "request_uri" in arguments:
        _refuse(OAuthCode.INVALID_REQUEST, "a request within a request")
    if "registration" in arguments:
        _refuse(OAuthCode.REGISTRATION_NOT_SUPPORTED, "registration is not supported")


def _code_flow(arguments: Arguments, client: Client) -> None:
    # RFC 9700 §2.1.2: no token ever travels in a URL.
    response_type = given(arguments, "response_type")
    if response_type is None:
        _refuse(OAuthCode.INVALID_REQUEST, "response_type is missing")
    if response_type != "code":
        _refuse(OAuthCode.UNSUPPORTED_RESPONSE_TYPE, "only the code flow is offered")
    if "authorization_code" not in client.metadata.grant_types:
        _refuse(OAuthCode.UNAUTHORIZED_CLIENT, "the client did not register the code flow")
    if _mode(arguments, client) is None:
        _refuse(OAuthCode.INVALID_REQUEST, "response_mode is unknown or not for this client")


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


def _dpop_key(arguments: Arguments, _client: Client) -> None:
    # RFC 9449 §10: an RFC 7638 thumbprint, which has the form of a challenge.
    jkt = given(arguments, "dpop_jkt")
    if jkt is not None and not _CHALLENGE.fullmatch(jkt):
        _refuse(OAuthCode.INVALID_REQUEST, "dpop_jkt must be a SHA-256 thumbprint")


def _claims(arguments: Arguments, _client: Client) -> dict[str, Any]:
    text = given(arguments, "claims")
    if text is None:
        return {}
    try:
        return dict(read_claims(text))
    except JsonRefused as fault:
        _refuse(OAuthCode.INVALID_REQUEST, f"claims {fault}")


def _details(arguments: Arguments, client: Client) -> tuple[dict[str, Any], ...]:
    text = given(arguments, "authorization_details")
    if text is None:
        return ()
    try:
        return read_details(text, client.metadata.authorization_details_types)
    except JsonRefused as fault:
        _refuse(OAuthCode.INVALID_AUTHORIZATION_DETAILS, f"authorization_details {fault}")


CHECKS: tuple[Callable[[Arguments, Client], None], ...] = (
    _sent_once,
    _of_sane_size,
    _printable,
    _nothing_by_reference,
    _code_flow,
    _openid_scope,
    _pkce,
    _prompt,
    _max_age,
    _dpop_key,
)
"""All that a request must pass once its client and reply address are proved."""


def _mode(arguments: Arguments, client: Client) -> str | None:
    """The mode asked for, in full; None where it is none of this client's."""
    mode = given(arguments, "response_mode") or response_mode.default_mode(client.metadata)
    return mode if mode in response_mode.allowed_modes(client.metadata) else None


def _acr_values(arguments: Arguments, claims: dict[str, Any], client: Client) -> tuple[str, ...]:
    # Registration §2: default_acr_values stand in where neither way of asking was used.
    asked = (*acr_wish(claims).values, *_words(arguments, "acr_values"))
    return tuple(dict.fromkeys(asked)) or client.metadata.default_acr_values


def _scope(arguments: Arguments, client: Client) -> set[str]:
    asked = set(_words(arguments, "scope")) & set(SCOPES) & client.metadata.scope
    if "refresh_token" not in client.metadata.grant_types:
        asked.discard("offline_access")  # Core §11: ignored where it cannot be honoured
    return asked


def _words(arguments: Arguments, name: str) -> list[str]:
    text = given(arguments, name)
    return text.split(" ") if text else []


def _single(arguments: Arguments, name: str) -> str:
    values = arguments.get(name, ())
    return values[0] if len(values) == 1 else ""


def _refuse(code: OAuthCode, hint: str) -> NoReturn:
    raise OAuthError(code, hint, redirectable=True)
