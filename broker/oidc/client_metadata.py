"""What a relying service registers about itself (RFC 7591 §2, OpenID Connect Registration §2)."""

import re
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SCOPES = {
    "openid": "an ID token with a pairwise subject",
    "profile": "names, birth date and gender as the person declared or proved them",
    "document": "number, kind, issuing state and expiry of the document shown",
    "assurance": "verified_claims: what was checked, how, and how sure that makes us",
    "offline_access": "a refresh token",
    "audit:read": "the record: entries, assertions, statistics",
    "audit:proof": "proofs, checkpoints and tiles of the record",
    "audit:export": "signed bundles of entries to take along",
    "audit:case.write": "opening review cases, and adding to them",
    "audit:unmask": "asking who a person is, and approving that another auditor is told",
    "audit:admin": "the cases, exports and searches of other auditors",
}
"""Every scope value there is, and what it gives."""

AUDIT_SCOPES = frozenset(scope for scope in SCOPES if scope.startswith("audit:"))
"""For auditors: an operator gives them, a service never gets them by asking."""

PERSONS_ONLY = frozenset({"audit:unmask"})
"""Of these, what no program has by itself."""

LANGUAGES = ("fr", "ar", "en")
GRANT_TYPES = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange",
)
SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post"})
KEY_METHODS = frozenset({"private_key_jwt", "self_signed_tls_client_auth"})

AuthMethod = Literal[
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
]
AUTH_METHODS: tuple[str, ...] = AuthMethod.__args__  # type: ignore[attr-defined]

SigningAlg = Literal["ES256", "RS256", "PS256", "EdDSA"]
ClientAlg = Literal["ES256", "PS256", "RS256", "EdDSA"]
WrapAlg = Literal["ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256"]
ContentAlg = Literal["A256GCM", "A128GCM"]

_SIGNING = (
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "introspection_signed_response_alg",
    "authorization_signed_response_alg",
    "token_endpoint_auth_signing_alg",
    "request_object_signing_alg",
)
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LONGEST = 2048
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+")  # RFC 3986 §4.3


class ClientMetadata(BaseModel):
    """A registration; every name is the standard's own, except `purpose`, `profile`, `sector`.

    `client_name` and `purpose` are texts by language. `sector` is the host that pairwise
    subjects are made for (Core §8.1). `profile` = "fapi2" enforces FAPI 2.0, every rule of it.
    `resource_identifiers` are the addresses of its own API (RFC 8707 §2); `may_act` is the one
    client that may act with the tokens given to this one (RFC 8693 §4.4). `audit_clients` are
    the services to whose entries an auditor is limited; empty: it is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_name: dict[str, str] = Field(default_factory=dict)
    purpose: dict[str, str] = Field(default_factory=dict)
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    application_type: Literal["web", "native"] = "web"

    redirect_uris: tuple[str, ...] = ()
    response_types: tuple[Literal["code"], ...] = ("code",)
    grant_types: frozenset[str] = frozenset({"authorization_code"})
    scope: frozenset[str] = frozenset({"openid"})
    subject_type: Literal["pairwise", "public"] = "pairwise"
    sector_identifier_uri: str | None = None
    sector: str = ""
    initiate_login_uri: str | None = None
    default_max_age: int | None = Field(default=None, ge=0)
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    request_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False

    token_endpoint_auth_method: AuthMethod = "client_secret_basic"  # noqa: S105  its name
    token_endpoint_auth_signing_alg: ClientAlg | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None

    id_token_signed_response_alg: SigningAlg = "ES256"  # noqa: S105
    id_token_encrypted_response_alg: WrapAlg | None = None
    id_token_encrypted_response_enc: ContentAlg | None = None
    userinfo_signed_response_alg: SigningAlg | None = None
    userinfo_encrypted_response_alg: WrapAlg | None = None
    userinfo_encrypted_response_enc: ContentAlg | None = None
    introspection_signed_response_alg: SigningAlg | None = None
    authorization_signed_response_alg: SigningAlg | None = None
    request_object_signing_alg: ClientAlg | None = None

    require_pushed_authorization_requests: bool = False
    require_signed_request_object: bool = False
    dpop_bound_access_tokens: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    require_dpop_nonce: bool = False
    resource_identifiers: tuple[str, ...] = ()
    may_act: str | None = None
    audit_clients: frozenset[str] = frozenset()
    access_token_format: Literal["opaque", "jwt"] = "opaque"  # noqa: S105
    authorization_details_types: tuple[str, ...] = ()
    profile: Literal["fapi2"] | None = None

    @field_validator("client_name", "purpose")
    @classmethod
    def _by_language(cls, texts: dict[str, str]) -> dict[str, str]:
        _all_known(frozenset(texts), LANGUAGES)
        return texts

    @field_validator("redirect_uris", "post_logout_redirect_uris")
    @classmethod
    def _safe_addresses(cls, uris: tuple[str, ...]) -> tuple[str, ...]:
        for uri in uris:
            if fault := redirect_uri_fault(uri):
                raise ValueError(f"{uri[:80]}: {fault}")
        return uris

    @field_validator("resource_identifiers")
    @classmethod
    def _absolute(cls, uris: tuple[str, ...]) -> tuple[str, ...]:
        for uri in uris:
            if fault := resource_fault(uri):
                raise ValueError(f"{uri[:80]}: {fault}")
        return uris

    @field_validator("grant_types")
    @classmethod
    def _known_grants(cls, grants: frozenset[str]) -> frozenset[str]:
        return _all_known(grants, GRANT_TYPES)

    @field_validator("scope", mode="before")
    @classmethod
    def _scope_as_text(cls, scope: object) -> object:
        # RFC 7591 §2: one string of space-separated values.
        return scope.split() if isinstance(scope, str) else scope

    @field_validator("scope")
    @classmethod
    def _known_scope(cls, scope: frozenset[str]) -> frozenset[str]:
        return _all_known(scope, tuple(SCOPES))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if "authorization_code" in self.grant_types and not self.redirect_uris:
            raise ValueError("the code flow needs a redirect_uri")
        if self.jwks is not None and self.jwks_uri is not None:
            raise ValueError("jwks and jwks_uri exclude one another")
        has_keys = self.jwks is not None or self.jwks_uri is not None
        if self.token_endpoint_auth_method in KEY_METHODS and not has_keys:
            raise ValueError("this client authentication needs jwks or jwks_uri")
        if self.profile == "fapi2":
            self._fapi2()
        return self

    def _fapi2(self) -> None:
        """FAPI 2.0 Security Profile §5.3.2.1: what can be known at registration."""
        strong = {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"}
        if self.token_endpoint_auth_method not in strong:
            raise ValueError("fapi2 needs private_key_jwt or mutual TLS")
        bound = self.dpop_bound_access_tokens or self.tls_client_certificate_bound_access_tokens
        if not bound:
            raise ValueError("fapi2 needs sender-constrained access tokens")
        if "RS256" in {getattr(self, name) for name in _SIGNING}:
            raise ValueError("fapi2 does not allow RS256")
        in_clear = any(uri.startswith("http:") for uri in self.redirect_uris)
        if in_clear and self.application_type != "native":
            raise ValueError("fapi2 needs https redirect URIs (http is for native clients)")

    @property
    def usual_alg(self) -> str:
        """What signs for this client what it registered no algorithm for (JARM §3, RFC 9701 §6)."""
        return self.id_token_signed_response_alg if self.profile == "fapi2" else "RS256"

    @property
    def pushes(self) -> bool:
        """Whether every authorization request must be pushed (RFC 9126 §6)."""
        return self.require_pushed_authorization_requests or self.profile == "fapi2"

    @property
    def owes_dpop_nonce(self) -> bool:
        """Whether every DPoP proof must hold a nonce of ours (RFC 9449 §8)."""
        return self.require_dpop_nonce or self.profile == "fapi2"

    @property
    def sector_host(self) -> str:
        """The host that pairwise subjects are made for."""
        return self.sector or next((urlsplit(u).hostname or "" for u in self.redirect_uris), "")


def redirect_uri_fault(uri: str) -> str | None:
    """Why `uri` may not be registered, or None if it may (RFC 8252 §7, RFC 9700 §4.1)."""
    try:
        parts = urlsplit(uri)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError:
        return "it is not a URL"
    if len(uri) > _LONGEST or re.search(r"[\x00-\x20\x7f\\*]", uri) or not uri.isascii():
        return "it is too long or contains a character that has no place there"
    if not parts.hostname or not port_is_sane or parts.username is not None:
        return "it must name a host, and no user"
    if "#" in uri:
        return "it has a fragment"
    local = parts.netloc.rsplit(":", 1)[0] in _LOCAL
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        return "it must be https (http is for this machine only)"
    return None


def resource_fault(uri: str) -> str | None:
    """Why `uri` names no protected resource, or None: absolute, no fragment (RFC 8707 §2)."""
    if len(uri) > _LONGEST or not _ABSOLUTE.fullmatch(uri):
        return "it is no absolute URI, or too long a one"
    return "it has a fragment" if "#" in uri else None


def _all_known(values: frozenset[str], known: tuple[str, ...]) -> frozenset[str]:
    if strangers := values - set(known):
        raise ValueError(f"unknown: {' '.join(sorted(strangers))}")
    return values
