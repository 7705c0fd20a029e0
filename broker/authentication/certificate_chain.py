"""Whether a chain of certificates leads to an anchor that was chosen beforehand (RFC 5280 §6.1).

An anchor may be a root, an intermediate or the very leaf: of the anchors in FIDO's metadata two
in five are not self-signed. A root that came with the chain is worth nothing. Pure.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

_LONGEST: Final = 6
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)


def leads_to(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime
) -> bool:
    """Whether the chain, leaf first, ends at one of the anchors, every part valid at `at`."""
    try:
        return len(chain) <= _LONGEST and _leads(chain, anchors, at)
    except Exception:  # noqa: BLE001  whatever a certificate of strangers makes a parser raise
        return False


def _leads(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime
) -> bool:
    known = {anchor.public_bytes(Encoding.DER) for anchor in anchors}
    for below, certificate in enumerate(chain):
        if not _sound(certificate, at):
            return False
        if certificate.public_bytes(Encoding.DER) in known:
            return True
        if any(_sound(a, at) and _issued(a, certificate, below) for a in anchors):
            return True
        if below + 1 == len(chain) or not _issued(chain[below + 1], certificate, below):
            return False
    return False


def _sound(certificate: x509.Certificate, at: datetime) -> bool:
    dated = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    return dated and all(
        extension.oid in _UNDERSTOOD for extension in certificate.extensions if extension.critical
    )


def _issued(issuer: x509.Certificate, certificate: x509.Certificate, below: int) -> bool:
    """Whether `issuer` may and did sign a certificate with `below` authorities under it."""
    extensions = issuer.extensions
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    if not constraints.ca or (
        constraints.path_length is not None and constraints.path_length < below
    ):
        return False
    try:
        if not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True
