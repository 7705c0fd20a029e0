"""Tokens bound to a client certificate (RFC 8705 §3)."""

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from broker.oidc.client_certificate import client_certificate


def presented_thumbprint() -> str | None:
    """`x5t#S256` of the certificate that this request came with, or None for none."""
    certificate = client_certificate()
    return None if certificate is None else thumbprint(certificate)


def thumbprint(certificate: x509.Certificate) -> str:
    """The base64url SHA-256 of the certificate in DER (RFC 8705 §3.1)."""
    hashed = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")
