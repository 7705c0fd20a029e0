"""Key files with a certificate: what protocols need whose metadata carry X.509 (SAML)."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from broker.keyring.folder import write_new
from broker.keyring.sealing import Unlock, private_pem

BITS: Final = 3072
"""What the eIDAS network demands of RSA keys (Cryptographic Requirements v1.4 §3)."""

GOOD_FOR: Final = timedelta(days=5 * 365)
"""The other side trusts the key that our metadata name, whatever these dates; some look at them."""


def make(path: Path, name: str, now: datetime, unlock: Unlock) -> Path:
    """A new RSA key and its self-signed certificate for `name`. Raises FileExistsError."""
    key = rsa.generate_private_key(65537, BITS)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + GOOD_FOR)
        .sign(key, hashes.SHA256())
    )
    private = private_pem(key, unlock.passphrase)
    return write_new(path, private + certificate.public_bytes(Encoding.PEM))
