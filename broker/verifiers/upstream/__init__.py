"""An ID token of a foreign OpenID Provider (OpenID Connect Core 1.0, as a relying party)."""

from broker.verifiers.upstream.verifier import UpstreamVerifier

__all__ = ["UpstreamVerifier"]
