"""A foreign identity by SAML 2.0: from an eIDAS node, or another national identity provider."""

from broker.verifiers.eidas.verifier import EidasVerifier

__all__ = ["EidasVerifier"]
