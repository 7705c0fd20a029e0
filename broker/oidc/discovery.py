"""What a relying service reads first (OpenID Connect Discovery 1.0 §3, RFC 8414)."""

from typing import Any

from broker.identity.assurance import Policy, acr_uri
from broker.oidc.client_metadata import SCOPES, SECRET_METHODS
from broker.oidc.request import PROMPTS
from broker.oidc.token import GRANTS


def metadata(issuer: str, policy: Policy, languages: list[str]) -> dict[str, Any]:
    """The provider's metadata: only what is really served."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "token_endpoint_auth_methods_supported": [*sorted(SECRET_METHODS), "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "acr_values_supported": [acr_uri(a.name, issuer) for a in reversed(policy.acr)],
        "prompt_values_supported": sorted(PROMPTS),
        "claim_types_supported": ["normal"],
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
            "name",
            "given_name",
            "family_name",
            "birthdate",
            "gender",
            f"{issuer}/claims/assurance",
            f"{issuer}/claims/document",
            "verified_claims",
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": languages,
        "service_documentation": f"{issuer}/",
        "op_policy_uri": f"{issuer}/privacy",
        "verified_claims_supported": True,
        "trust_frameworks_supported": [f"{issuer}/trust-framework"],
        "evidence_supported": ["document"],
        "documents_supported": ["passport"],
    }
