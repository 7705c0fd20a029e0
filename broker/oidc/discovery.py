"""What a relying service reads first (OpenID Connect Discovery 1.0 §3, RFC 8414)."""

from typing import Any

from broker.identity.assurance import Policy, acr_uri
from broker.jose import CONTENT_ALGORITHMS, KEY_ALGORITHMS, VERIFIABLE
from broker.oidc import client_assertion
from broker.oidc.authorization_details import KINDS
from broker.oidc.client_metadata import AUTH_METHODS, SCOPES
from broker.oidc.request import PROMPTS
from broker.oidc.response_mode import MODES
from broker.oidc.token import GRANTS
from broker.settings import Settings, TlsSettings
from broker.web.bearer import DPOP_ALGORITHMS


def metadata(
    issuer: str, policy: Policy, languages: list[str], signing: tuple[str, ...]
) -> dict[str, Any]:
    """The provider's metadata: only what is really served, `signing` by the keys there are."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "introspection_endpoint": f"{issuer}/introspect",
        "introspection_signing_alg_values_supported": list(signing),
        "revocation_endpoint": f"{issuer}/revoke",
        "userinfo_signing_alg_values_supported": list(signing),
        "dpop_signing_alg_values_supported": list(DPOP_ALGORITHMS),
        "end_session_endpoint": f"{issuer}/logout",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "jwks_uri": f"{issuer}/jwks",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": list(MODES),
        "grant_types_supported": list(GRANTS),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(signing),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "acr_values_supported": [acr_uri(a.name, issuer) for a in reversed(policy.acr)],
        "prompt_values_supported": sorted(PROMPTS),
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            "amr",
            "sid",
            "name",
            "given_name",
            "family_name",
            "birthdate",
            "gender",
            "nationalities",
            f"{issuer}/claims/assurance",
            f"{issuer}/claims/document",
            "verified_claims",
        ],
        "claims_parameter_supported": True,
        "display_values_supported": ["page"],
        "ui_locales_supported": languages,
        "service_documentation": f"{issuer}/",
        "op_policy_uri": f"{issuer}/privacy",
    }


def of_requests(issuer: str, signing: tuple[str, ...]) -> dict[str, Any]:
    """How requests may come and how answers go (RFC 9126 §5, RFC 9101 §4, RFC 9396 §10, JARM §4).

    `request_uri` by reference is for addresses that the client registered, and no other.
    """
    return {
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "require_pushed_authorization_requests": False,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "require_signed_request_object": False,
        "request_object_signing_alg_values_supported": list(VERIFIABLE),
        "authorization_signing_alg_values_supported": list(signing),
        "authorization_details_types_supported": list(KINDS),
    }


def of_encryption() -> dict[str, Any]:
    """What may be encrypted to a client, and how (Discovery §3)."""
    ways = {"alg": list(KEY_ALGORITHMS), "enc": list(CONTENT_ALGORITHMS)}
    return {
        f"{kind}_encryption_{way}_values_supported": names
        for kind in ("id_token", "userinfo")
        for way, names in ways.items()
    }


def of_clients(settings: Settings) -> dict[str, Any]:
    """How clients come to be known and prove themselves (RFC 8414 §2, RFC 8705 §5)."""
    tls = settings.tls if settings.trusted_proxies else TlsSettings()
    methods = [m for m in AUTH_METHODS if "tls" not in m or tls.client_certificate_header]
    if not tls.client_verified_header:
        methods = [method for method in methods if method != "tls_client_auth"]
    said: dict[str, Any] = {
        "registration_endpoint": f"{settings.issuer}/register",
        "tls_client_certificate_bound_access_tokens": bool(tls.client_certificate_header),
    }
    for door in ("token", "introspection", "revocation"):
        # Only who proves itself may ask what a token allows (RFC 7662 §2.1).
        proved = [method for method in methods if door != "introspection" or method != "none"]
        said[f"{door}_endpoint_auth_methods_supported"] = proved
        said[f"{door}_endpoint_auth_signing_alg_values_supported"] = list(
            client_assertion.ALGORITHMS
        )
    if tls.client_certificate_header and tls.mtls_origin:
        said["mtls_endpoint_aliases"] = {
            name: tls.mtls_origin + path for name, path in _WITH_CERTIFICATE.items()
        }
    return said


_WITH_CERTIFICATE = {
    "token_endpoint": "/token",
    "pushed_authorization_request_endpoint": "/par",
    "introspection_endpoint": "/introspect",
    "revocation_endpoint": "/revoke",
    "userinfo_endpoint": "/userinfo",
}
