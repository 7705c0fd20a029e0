"""What a key's maker says about it: read from the attestation object that was stored at enrolment.

The signature in the statement was verified at enrolment (`ceremony.verify_attestation`); here is
decided who made it, anew at every use. Formats other than `packed` draw no trust yet. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from webauthn.helpers import parse_cbor

from broker.authentication.certificate_chain import leads_to

_AAGUID: Final = slice(37, 53)
_AAGUID_EXTENSION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_OCTETS_OF_16: Final = b"\x04\x10"
_COUNTRY: Final = 2


@dataclass(frozen=True, slots=True)
class Statement:
    """A packed statement with certificates: whose they say the key is, leaf first."""

    aaguid: bytes
    certificates: tuple[x509.Certificate, ...]


def read_statement(attestation_object: bytes) -> Statement | None:
    """The statement, or None where there is none that trust could be drawn from."""
    try:
        return _read(parse_cbor(attestation_object))
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
        fits = _is_attestation_certificate(said.certificates[0], said.aaguid)
    except Exception:  # noqa: BLE001  as above: extensions are parsed when they are asked for
        return False
    return fits and leads_to(said.certificates, anchors, at)


def _read(found: Any) -> Statement | None:
    if not isinstance(found, dict) or found.get("fmt") != "packed":
        return None
    chain = found["attStmt"].get("x5c") or ()
    certificates = tuple(x509.load_der_x509_certificate(der) for der in chain)
    return Statement(found["authData"][_AAGUID], certificates) if certificates else None


def _is_attestation_certificate(leaf: x509.Certificate, aaguid: bytes) -> bool:
    """WebAuthn Level 3 §8.2.1."""
    if leaf.version is not x509.Version.v3 or not _names_its_maker(leaf.subject):
        return False
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
    return not constraints.ca and _is_of_model(leaf, aaguid)


def _names_its_maker(subject: x509.Name) -> bool:
    def said(oid: x509.ObjectIdentifier) -> list[str]:
        return [str(part.value) for part in subject.get_attributes_for_oid(oid)]

    country, unit = said(NameOID.COUNTRY_NAME), said(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return (
        len(country) == 1
        and len(country[0]) == _COUNTRY
        and unit == ["Authenticator Attestation"]
        and bool(said(NameOID.ORGANIZATION_NAME))
        and bool(said(NameOID.COMMON_NAME))
    )


def _is_of_model(leaf: x509.Certificate, aaguid: bytes) -> bool:
    try:
        extension = leaf.extensions.get_extension_for_oid(_AAGUID_EXTENSION)
    except x509.ExtensionNotFound:
        return True
    value = extension.value
    return (
        not extension.critical
        and isinstance(value, x509.UnrecognizedExtension)
        and value.value == _OCTETS_OF_16 + aaguid
    )
