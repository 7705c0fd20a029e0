"""Our own keys for SAML, each with the certificate that metadata carries it in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from broker.keyring import KeysMissing, SealBroken, Unlock
from broker.keyring.sealing import read_private_pem
from broker.verifiers.eidas.section import Section

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Credential:
    """A private key and its certificate."""

    key: Key = field(repr=False)
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs, what will sign next (published beforehand), and what opens."""

    signing: Credential
    following: Credential | None
    opening: tuple[Credential, ...]


def load(section: Section, folder: Path, unlock: Unlock) -> Credentials:
    """The key files that the section names. Raises KeysMissing, naming the file."""
    following = section.next_signing
    return Credentials(
        _credential(folder / section.signing_key, unlock),
        _credential(folder / following, unlock) if following else None,
        tuple(_credential(folder / name, unlock) for name in section.decryption_keys),
    )


def _credential(path: Path, unlock: Unlock) -> Credential:
    """A file of a PKCS #8 key and its certificate, both PEM."""
    try:
        content = path.read_bytes()
        private, begin, rest = content.partition(_BEGIN)
        key = read_private_pem(private, unlock.passphrase)
        certificate = x509.load_pem_x509_certificate(begin + rest)
    except OSError:
        made = "run `python -m broker.setup saml-keys`"
        raise KeysMissing(f"{path} is missing: {made}") from None
    except (ValueError, SealBroken):
        raise KeysMissing(f"{path} does not hold a private key and its certificate") from None
    if not isinstance(key, Key) or key.public_key() != certificate.public_key():
        raise KeysMissing(f"{path}: the certificate is not that of the key")
    return Credential(key, certificate)
