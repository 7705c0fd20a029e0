"""What a registration request says, in the standard's words and in ours (RFC 7591 §2)."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from broker.errors import OAuthCode, OAuthError
from broker.jose import SignatureRejected, unverified_claims
from broker.oidc.client_metadata import AUDIT_SCOPES, LANGUAGES, ClientMetadata
from broker.oidc.registration_checks import CHECKS, hosts

OPERATORS_OWN = ("may_act", "resource_identifiers")
"""Members that only an operator sets: they give power over what belongs to others."""

NOT_FOR_ASKING = {
    "scope": AUDIT_SCOPES,
    "grant_types": frozenset({"urn:ietf:params:oauth:grant-type:token-exchange"}),
}
"""Values that a service does not get by asking for them."""

SENT_BACK = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
"""Members of our answer that must not come back in a change (RFC 7592 §2.2)."""

_TEXTS = ("client_name", "purpose")
_UNTAGGED = "en"
_STANDARD_DEFAULTS = {"id_token_signed_response_alg": "RS256"}  # OpenID Connect Registration §2
_ORDINARY_SCOPE = ("openid", "profile", "document", "assurance")


def read(said: Mapping[str, Any], kept: ClientMetadata | None = None) -> ClientMetadata:
    """What a service registers about itself; `kept`: the registration that this one replaces.

    Unknown members are ignored, null ones as if absent, absent ones have the standard's default.
    Raises OAuthError: invalid_client_metadata, invalid_redirect_uri, unapproved_software_statement,
    invalid_software_statement.
    """
    _check_statement(said)
    ours = _ours(said)
    for name in (*OPERATORS_OWN, "sector"):  # the sector follows from the addresses, always
        ours.pop(name, None)
    if kept is not None:
        ours |= {name: getattr(kept, name) for name in OPERATORS_OWN}
    ours = _with_defaults(ours)
    for name, values in NOT_FOR_ASKING.items():
        had = getattr(kept, name) if kept else frozenset()
        if wanted := _words(ours.get(name)) & values - had:
            raise _refused(f"{name}: {' '.join(sorted(wanted))} is for the operator to give")
    return checked(ours)


def read_as_operator(said: Mapping[str, Any]) -> ClientMetadata:
    """What an operator registers: every member, and no other one. Raises OAuthError."""
    bare = {name.partition("#")[0] for name in said}
    if strangers := bare - set(ClientMetadata.model_fields):
        raise _refused(f"unknown: {' '.join(sorted(strangers))}")
    tags = {name.partition("#")[2] for name in said} - {"", *LANGUAGES}
    if tags:
        raise _refused(f"texts are in {', '.join(LANGUAGES)}, not in {' '.join(sorted(tags))}")
    return checked(_ours(said))


def checked(ours: Mapping[str, Any]) -> ClientMetadata:
    """The metadata, held against itself. Raises OAuthError."""
    by_code = "authorization_code" in _words(ours.get("grant_types", ["authorization_code"]))
    if by_code and not ours.get("redirect_uris"):
        raise OAuthError(OAuthCode.INVALID_REDIRECT_URI, "the code flow needs a redirect_uri")
    try:
        metadata = ClientMetadata.model_validate(_with_ciphers(ours))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"][:2])
        about = f"{place}: {fault['msg']}" if place else fault["msg"]
        if fault["loc"][:1] == ("redirect_uris",):
            raise OAuthError(OAuthCode.INVALID_REDIRECT_URI, about) from None
        raise _refused(about) from None
    for check in CHECKS:
        if fault_found := check(metadata):
            raise _refused(fault_found)
    return metadata.model_copy(update={"sector": metadata.sector or _sector(metadata)})


def written(metadata: ClientMetadata) -> dict[str, Any]:
    """The registration in the standard's words, ready for JSON; `read` understands it."""
    held = metadata.model_dump(mode="json", exclude_none=True)
    held.pop("sector")
    for name in _TEXTS:
        for language, text in held.pop(name).items():
            held[name if language == _UNTAGGED else f"{name}#{language}"] = text
    held["scope"] = " ".join(sorted(metadata.scope))
    held["grant_types"] = sorted(metadata.grant_types)
    return {name: value for name, value in held.items() if value != []}


def check_sector(metadata: ClientMetadata, document: bytes) -> None:
    """That the sector's own list names every redirect_uri (Core §8.1, Registration §5).

    Raises OAuthError invalid_client_metadata.
    """
    try:
        listed = json.loads(document)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list) or not set(metadata.redirect_uris) <= {
        uri for uri in listed if isinstance(uri, str)
    }:
        raise _refused("sector_identifier_uri: it does not list every redirect_uri")


def _ours(said: Mapping[str, Any]) -> dict[str, Any]:
    """Members that we know, by our names; texts by language (RFC 7591 §2.2)."""
    given = {name: value for name, value in said.items() if value is not None}
    ours = {n: v for n, v in given.items() if n in ClientMetadata.model_fields and n not in _TEXTS}
    for name in _TEXTS:
        if texts := _by_language(name, given):
            ours[name] = texts
    if "scope" in ours and not isinstance(ours["scope"], str):
        raise _refused("scope: it must be one string of values with spaces between")
    return ours


def _by_language(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    texts: dict[str, Any] = {}
    for member, text in sorted(given.items()):  # "#fr" stands before "#fr-TN"
        bare, _, tag = member.partition("#")
        language = (tag or _UNTAGGED).partition("-")[0].lower()
        if bare == name and language in LANGUAGES:
            if tag.lower() == language:
                texts[language] = text
            texts.setdefault(language, text)
    return texts


def _with_defaults(ours: dict[str, Any]) -> dict[str, Any]:
    if ours.get("profile") != "fapi2":
        ours = _STANDARD_DEFAULTS | ours
    if "scope" not in ours:
        lasting = "refresh_token" in _words(ours.get("grant_types"))
        ours["scope"] = " ".join((*_ORDINARY_SCOPE, *(["offline_access"] if lasting else [])))
    return ours


def _with_ciphers(ours: Mapping[str, Any]) -> dict[str, Any]:
    """Our cipher where only the way to the key is named; the standard's, CBC, is not offered."""
    asked = [f"{kind}_encrypted_response_" for kind in ("id_token", "userinfo")]
    return {f"{name}enc": "A256GCM" for name in asked if ours.get(f"{name}alg")} | dict(ours)


def _check_statement(said: Mapping[str, Any]) -> None:
    # RFC 7591 §3.2.2: we know no authority whose statements about services we would believe.
    statement = said.get("software_statement")
    if statement is None:
        return
    try:
        unverified_claims(statement if isinstance(statement, str) else "")
    except SignatureRejected:
        raise OAuthError(
            OAuthCode.INVALID_SOFTWARE_STATEMENT, "software_statement is no signed JWT"
        ) from None
    raise OAuthError(OAuthCode.UNAPPROVED_SOFTWARE_STATEMENT, "no issuer of statements is trusted")


def _sector(metadata: ClientMetadata) -> str:
    if metadata.sector_identifier_uri:
        return urlsplit(metadata.sector_identifier_uri).hostname or ""
    return next(iter(hosts(metadata)), "")


def _words(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset(item for item in value if isinstance(item, str))
    return frozenset()


def _refused(about: str) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_CLIENT_METADATA, about)
