"""What a key's maker says about it: read from the attestation object that was stored at enrolment.

The signature in the statement was verified at enrolment (`ceremony.verify_attestation`); here is
decided who made it, anew at every use. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509

from broker.authentication.attestation_leaf import fits
from broker.authentication.certificate_chain import leads_to

_AAGUID: Final = slice(37, 53)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with certificates, leaf first: its format, and whose they say the key is."""

    form: str
    aaguid: bytes
    certificates: tuple[x509.Certificate, ...]


def read_statement(attestation_object: bytes) -> Statement | None:
    """The statement, or None where there is none that trust could be drawn from."""
    from broker.authentication import library  # noqa: PLC0415  as it says

    try:
        return _read(library.parse_cbor(attestation_object))
    except Exception:  # noqa: BLE001  certificates of strangers make parsers raise all sorts
        return None


def is_attested(
    attestation_object: bytes, anchors: Sequence[x509.Certificate], at: datetime
) -> bool:
    """Whether a maker whose anchors these are vouches for the key, judged at that moment."""
    said = read_statement(attestation_object)
    if said is None:
        return False
    try:
        holds = fits(said.form, said.certificates[0], said.aaguid)
    except Exception:  # noqa: BLE001  as above: extensions are parsed when they are asked for
        return False
    return holds and leads_to(said.certificates, anchors, at)


def _read(found: Any) -> Statement | None:
    if not isinstance(found, dict):
        return None
    chain = found["attStmt"].get("x5c") or ()
    certificates = tuple(x509.load_der_x509_certificate(der) for der in chain)
    return (
        Statement(found["fmt"], found["authData"][_AAGUID], certificates) if certificates else None
    )
