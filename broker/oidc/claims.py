"""Grant → claims of an ID token and of userinfo: pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from broker.accounts.subject import pairwise
from broker.identity.assurance import Policy, acr_uri
from broker.oidc.grant import Assurance, Grant, seconds

REGISTERED = frozenset(
    {
        *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash"),
        *("jti", "sid"),
    }
)
"""Claims that only this module sets: nothing that a room says may overwrite them."""


def id_token_claims(  # noqa: PLR0913  all of them are the token
    grant: Grant,
    *,
    issuer: str,
    policy: Policy,
    said: Mapping[str, Any],
    at_hash: str,
    token_id: str,
    now: datetime,
    lifetime: timedelta,
) -> dict[str, Any]:
    """The claims of an ID token (OpenID Connect Core §2), `said` by the rooms included."""
    claims = dict(said)
    claims |= {
        "iss": issuer,
        "sub": grant.subject,
        "aud": grant.client_id,
        "exp": seconds(now + lifetime),
        "iat": seconds(now),
        "auth_time": grant.auth_time,
        "acr": acr_uri(grant.assurance.acr, issuer),
        "amr": list(grant.assurance.amr),
        "at_hash": at_hash,
        "jti": token_id,
        f"{issuer}/claims/assurance": assurance_claim(grant.assurance, policy),
    }
    if grant.nonce is not None:
        claims["nonce"] = grant.nonce
    if grant.sid is not None:
        claims["sid"] = grant.sid
    return claims


def assurance_claim(assurance: Assurance, policy: Policy) -> dict[str, Any]:
    """The pair behind `acr`, in letters and in a word, and the policy that graded it.

    `verified` false says in so many words that nothing about the person is proved.
    """
    level = policy.identity_levels[assurance.identity]
    claim: dict[str, Any] = {
        "identity": assurance.identity,
        "identity_label": level.label,
        "verified": level.verified,
        "authenticator": assurance.authenticator,
        "phishing_resistant": policy.authenticator_levels[
            assurance.authenticator
        ].phishing_resistant,
        "fraud_checked": bool(policy.fraud_sources),
        "policy_version": assurance.policy,
    }
    if assurance.because is not None:
        claim["basis"] = assurance.because
    return claim


def userinfo_claims(grant: Grant, said: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the userinfo endpoint (Core §5.3.2): `sub` and what the scope covers."""
    return dict(said) | {"sub": grant.subject}


def told_to(grant: Grant, said: Mapping[str, Any], pairwise_key: bytes) -> dict[str, Any]:
    """What the rooms said, fit for this client: nothing of ours overwritten, nothing linkable.

    The reference of a verification is one name for one deed at every service; each is told a
    name of its own, as with `sub`.
    """
    told = {name: value for name, value in said.items() if name not in REGISTERED}
    if "verified_claims" in told:
        told["verified_claims"] = _own_reference(grant, told["verified_claims"], pairwise_key)
    return told


def _own_reference(grant: Grant, element: Any, key: bytes) -> Any:
    if isinstance(element, list):
        return [_own_reference(grant, one, key) for one in element]
    verification = dict(element["verification"])
    if reference := verification.get("verification_process"):
        verification["verification_process"] = pairwise(key, grant.subject, reference)
    return {**element, "verification": verification}
