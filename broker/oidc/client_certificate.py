"""The TLS certificate of a client, as the proxy in front tells of it (RFC 8705).

The proxy ends TLS, proves that the sender holds the key, and verifies the chain where there is
one. What it found stands in two headers, which it sets on every request and nobody else can.
"""

import base64
import binascii
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from flask import request

from broker.jose import SignatureRejected, public_der
from broker.oidc.client_metadata import ClientMetadata
from broker.web.tools import tools

VERIFIED = "SUCCESS"
"""What nginx writes in $ssl_client_verify once the chain holds."""
_LONGEST = 16 * 1024


def client_certificate() -> x509.Certificate | None:
    """The certificate that this request came with, or None; its chain may be anybody's.

    Believed only where a trusted proxy stands in front (BROKER_TRUSTED_PROXIES).
    """
    header = tools().settings.tls.client_certificate_header
    escaped = request.headers.get(header, "") if header else ""
    if not escaped or not tools().settings.trusted_proxies or len(escaped) > _LONGEST:
        return None
    try:
        found = x509.load_pem_x509_certificate(unquote(escaped).encode("ascii"))
        # Parsed only when they are asked for: what cannot be read is found out here.
        found.public_key(), found.subject
    except (ValueError, UnsupportedAlgorithm):  # UnicodeEncodeError is a ValueError
        return None
    return found


def chain_holds() -> bool:
    """Whether the proxy verified the chain of this request's certificate."""
    header = tools().settings.tls.client_verified_header
    believed = header and tools().settings.trusted_proxies
    return bool(believed) and request.headers.get(header) == VERIFIED


def is_named(certificate: x509.Certificate, metadata: ClientMetadata) -> bool:
    """Whether the certificate bears the one name that the client registered (RFC 8705 §2.1.2)."""
    if metadata.tls_client_auth_subject_dn is not None:
        return certificate.subject == distinguished_name(metadata.tls_client_auth_subject_dn)
    alternatives = _alternatives(certificate)
    if (host := metadata.tls_client_auth_san_dns) is not None:
        return host in alternatives.get_values_for_type(x509.DNSName)
    if (uri := metadata.tls_client_auth_san_uri) is not None:
        return uri in alternatives.get_values_for_type(x509.UniformResourceIdentifier)
    if (email := metadata.tls_client_auth_san_email) is not None:
        return email in alternatives.get_values_for_type(x509.RFC822Name)
    addresses = [str(a) for a in alternatives.get_values_for_type(x509.IPAddress)]
    return metadata.tls_client_auth_san_ip in addresses


def is_of(certificate: x509.Certificate, jwks: Mapping[str, Any]) -> bool:
    """Whether a key set holds this certificate, or its key (RFC 8705 §2.2.2)."""
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    own = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keys = (key for key in jwks.get("keys", []) if isinstance(key, dict))
    return any(_holds(key, encoded, own) for key in keys)


def distinguished_name(text: str) -> x509.Name | None:
    """The name that an RFC 4514 string spells, or None where it spells none."""
    try:
        return x509.Name.from_rfc4514_string(text)
    except (ValueError, TypeError):
        return None


def ip_name(text: str) -> str | None:
    """An IP address in its usual spelling, or None where it is none."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _holds(key: Mapping[str, Any], encoded: bytes, own: bytes) -> bool:
    chain = key.get("x5c")
    if chain is not None:
        # RFC 7517 §4.7: where a certificate is named, it is that one and no other.
        return isinstance(chain, list) and bool(chain) and _decoded(chain[0]) == encoded
    try:
        return public_der(key) == own
    except SignatureRejected:
        return False


def _decoded(text: object) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return x509.SubjectAlternativeName([])
