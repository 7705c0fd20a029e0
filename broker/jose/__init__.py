"""The only home of JOSE: sign, verify, encrypt (RFC 7515, 7516, 7517, 7519; with joserfc)."""

from broker.jose.cipher import CONTENT_ALGORITHMS, KEY_ALGORITHMS, encrypt, takes
from broker.jose.compact import SIZE_LIMIT, SignatureRejected, unverified_claims
from broker.jose.foreign import (
    VERIFIABLE,
    KeyNotFound,
    public_der,
    thumbprint_of,
    verify_embedded,
    verify_with,
)
from broker.jose.own import SignedClaims, half_hash, jwks, sign, thumbprint, verify

__all__ = [
    "CONTENT_ALGORITHMS",
    "KEY_ALGORITHMS",
    "SIZE_LIMIT",
    "VERIFIABLE",
    "KeyNotFound",
    "SignatureRejected",
    "SignedClaims",
    "encrypt",
    "half_hash",
    "jwks",
    "public_der",
    "sign",
    "takes",
    "thumbprint",
    "thumbprint_of",
    "unverified_claims",
    "verify",
    "verify_embedded",
    "verify_with",
]
