"""Requests that the client signed: opened, checked, and put in the place of the parameters.

RFC 9101; OpenID Connect Core §6; FAPI 2.0 Message Signing §5.3.1. Only what stands inside counts.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy.orm import Session

from broker import jose
from broker.errors import OAuthCode, OAuthError, UpstreamUnavailable
from broker.interaction.replay import first_use
from broker.oidc.client import Client
from broker.oidc.client_keys import verify_of
from broker.oidc.request import Arguments, given

Fetch = Callable[[str], bytes]
"""The document at an https address. Raises UpstreamUnavailable."""

MEDIA_TYPE = "application/oauth-authz-req+jwt"
TYPES = frozenset({"oauth-authz-req+jwt", MEDIA_TYPE, "jwt"})
"""What `typ` may say, in lower case, where it says anything (RFC 9101 §10.8)."""

OLDEST = timedelta(minutes=60)
"""How long ago `nbf` may be, and how far ahead `exp` (FAPI 2.0 Message Signing §5.3.1)."""

SKEW = timedelta(seconds=30)
"""How wrong a client's clock may be (FAPI 2.0 Security Profile §5.3.2.1: 10 to 60 seconds)."""

_STRONG = frozenset({"ES256", "PS256", "EdDSA"})
_OF_THE_ENVELOPE = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "sub"})
_HASH = re.compile(r"[A-Za-z0-9_-]{43}")


def is_plain(arguments: Arguments) -> bool:
    """Whether there is nothing to open: no signature to verify, nothing to fetch."""
    return "request" not in arguments and "request_uri" not in arguments


def by_reference(arguments: Arguments, client: Client, fetch: Fetch) -> Arguments:
    """The arguments with the request object itself where its address stood.

    Raises OAuthError: request_uri_not_supported where the client registered none,
    invalid_request_uri where it is another address or does not hold what it should.
    """
    uri = given(arguments, "request_uri")
    if uri is None:
        return arguments
    if "request" in arguments or len(arguments["request_uri"]) != 1:
        _refuse(OAuthCode.INVALID_REQUEST, "request and request_uri exclude one another")
    if not client.metadata.request_uris:
        _refuse(OAuthCode.REQUEST_URI_NOT_SUPPORTED, "no request_uri is registered")
    bare, _, fragment = uri.partition("#")
    if not {uri, bare} & set(client.metadata.request_uris) or not bare.startswith("https://"):
        _refuse(OAuthCode.INVALID_REQUEST_URI, "the request_uri is not registered")
    try:
        document = fetch(bare)
    except UpstreamUnavailable as error:
        _refuse(OAuthCode.INVALID_REQUEST_URI, f"the request_uri cannot be read: {error.code}")
    # Core §6.2: the fragment is the document's hash, so that nobody changes what was meant.
    if _HASH.fullmatch(fragment) and fragment != _digest(document):
        _refuse(OAuthCode.INVALID_REQUEST_URI, "the document is not the one that was meant")
    rest = {name: values for name, values in arguments.items() if name != "request_uri"}
    return {**rest, "request": [document.decode("ascii", "replace").strip()]}


@dataclass(frozen=True, slots=True)
class Opened:
    """What a request says once it is opened; `jti`, where it has one, may be used once."""

    arguments: Arguments
    jti: str | None = None
    until: datetime | None = None


def opened(arguments: Arguments, client: Client, issuer: str, now: datetime) -> Opened:
    """The arguments that the request object holds, and no other; as they came where there is none.

    Outside any transaction: the client's keys may have to be fetched. Raises OAuthError:
    invalid_request where a signed object is owed, request_not_supported where the client has no
    key, invalid_request_object where the object is not what it should be.
    """
    if "request" not in arguments:
        if client.metadata.require_signed_request_object:
            _refuse(OAuthCode.INVALID_REQUEST, "the request must be signed")
        return Opened(arguments)
    if len(arguments["request"]) != 1:
        _refuse(OAuthCode.INVALID_REQUEST, "a parameter was sent more than once")
    if client.metadata.jwks is None and client.metadata.jwks_uri is None:
        _refuse(OAuthCode.REQUEST_NOT_SUPPORTED, "the client registered no key to sign with")
    claims = _verified(arguments["request"][0], client, now).claims
    for check in (_envelope, _times):
        check(claims, client, issuer, now)
    inside = {n: _values(v, n) for n, v in claims.items() if n not in _OF_THE_ENVELOPE}
    return Opened({**inside, "client_id": [client.id]}, *_use(claims, now))


def used_once(tx: Session, request: Opened, client: Client) -> Arguments:
    """The arguments, their object used from now on. Raises OAuthError where it was before."""
    if request.jti is None or request.until is None:
        return request.arguments
    if not first_use(tx, "request-object", client.id, request.jti, request.until):
        _invalid("the request object was used before")
    return request.arguments


def named_client(arguments: Arguments) -> str:
    """The client_id that a request object says it is of; nothing of it is proved."""
    try:
        return str(jose.unverified_claims(arguments["request"][0]).get("iss", ""))
    except jose.SignatureRejected as error:
        _invalid(f"the signature does not hold: {error}")


def algorithms(client: Client) -> Collection[str]:
    """What may sign this client's requests: what it registered, else anything but the weak."""
    registered = client.metadata.request_object_signing_alg
    allowed = _STRONG if client.metadata.profile == "fapi2" else frozenset(jose.VERIFIABLE)
    return allowed if registered is None else allowed & {registered}


def _verified(token: str, client: Client, now: datetime) -> jose.SignedClaims:
    try:
        signed = verify_of(client, token, now, algorithms=algorithms(client))
    except jose.SignatureRejected as error:
        _invalid(f"the signature does not hold: {error}")
    except UpstreamUnavailable as error:
        _invalid(f"the client's keys cannot be read: {error.code}")
    if str(signed.header.get("typ", "jwt")).lower() not in TYPES:
        _invalid("another kind of token")
    return signed


def _envelope(claims: Mapping[str, Any], client: Client, issuer: str, _now: datetime) -> None:
    if claims.get("iss") != client.id:
        _invalid("iss must be the client_id")
    audience = claims.get("aud")
    if issuer not in (audience if isinstance(audience, list) else [audience]):
        _invalid("aud must be the issuer")
    if claims.get("client_id", client.id) != client.id:
        _invalid("client_id differs from the one outside")
    if claims.get("sub") == client.id:
        _invalid("sub must not be the client_id: it might be an assertion")  # RFC 9101 §10.8
    if "request" in claims or "request_uri" in claims:
        _invalid("a request within a request")


def _times(claims: Mapping[str, Any], client: Client, _issuer: str, now: datetime) -> None:
    exp, nbf = _moment(claims, "exp"), _moment(claims, "nbf")
    _moment(claims, "iat")
    if client.metadata.profile == "fapi2" and None in {exp, nbf}:
        _invalid("exp and nbf are needed")
    if exp is not None and not now - SKEW < exp <= now + OLDEST + SKEW:
        _invalid("exp is past, or more than 60 minutes ahead")
    if nbf is not None and not now - OLDEST - SKEW <= nbf <= now + SKEW:
        _invalid("nbf is ahead, or more than 60 minutes ago")


def _use(claims: Mapping[str, Any], now: datetime) -> tuple[str, datetime] | tuple[()]:
    """What may be used once, and until when it must be remembered."""
    if "jti" not in claims:
        return ()
    if not isinstance(claims["jti"], str) or not claims["jti"]:
        _invalid("jti must be a text")
    return claims["jti"], (_moment(claims, "exp") or now + OLDEST) + SKEW


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 40:
        _invalid(f"{name} must be a number of seconds")
    return datetime.fromtimestamp(int(value), UTC)


def _values(value: Any, name: str) -> list[str]:
    """A member as the parameter that it stands for (RFC 9101 §4)."""
    if name == "resource" and isinstance(value, list):
        return [_text(item) for item in value]
    return [_text(value)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _digest(document: bytes) -> str:
    hashed = hashlib.sha256(document).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


def _invalid(hint: str) -> NoReturn:
    _refuse(OAuthCode.INVALID_REQUEST_OBJECT, hint)


def _refuse(code: OAuthCode, hint: str) -> NoReturn:
    raise OAuthError(code, hint, redirectable=True)
