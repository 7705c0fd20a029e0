"""The only home of JOSE: sign, verify, encrypt (RFC 7515, 7516, 7517, 7519; with joserfc)."""

from broker.jose.cipher import CONTENT_ALGORITHMS, KEY_ALGORITHMS, encrypt, takes
from broker.jose.compact import SIZE_LIMIT, SignatureRejected, json_object, unverified_claims
from broker.jose.foreign import (
    VERIFIABLE,
    KeyNotFound,
    public_der,
    thumbprint_of,
    verify_embedded,
    verify_with,
)
from broker.jose.opening import (
    DecryptionKey,
    NotForUs,
    decrypt,
    decryption_key,
    is_encrypted,
    published,
)
from broker.jose.own import SignedClaims, half_hash, jwks, prove, sign, thumbprint, verify

__all__ = [
    "CONTENT_ALGORITHMS",
    "KEY_ALGORITHMS",
    "SIZE_LIMIT",
    "VERIFIABLE",
    "DecryptionKey",
    "KeyNotFound",
    "NotForUs",
    "SignatureRejected",
    "SignedClaims",
    "decrypt",
    "decryption_key",
    "encrypt",
    "half_hash",
    "is_encrypted",
    "json_object",
    "jwks",
    "prove",
    "public_der",
    "published",
    "sign",
    "takes",
    "thumbprint",
    "thumbprint_of",
    "unverified_claims",
    "verify",
    "verify_embedded",
    "verify_with",
]
