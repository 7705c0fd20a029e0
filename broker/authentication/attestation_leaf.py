"""Which certificate may attest a key: the rules of each attestation format. Pure.

WebAuthn Level 3 §8.2.1 (packed), §8.3.1 (tpm), §8.4 (android-key), §8.8 (apple). `fido-u2f` is
not among them: its keys know no user verification and name no model (§8.6), so that none of ours
can be of that kind; nor is `android-safetynet`, which ended in 2025.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

_AAGUID: Final = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_OCTETS_OF_16: Final = b"\x04\x10"
_COUNTRY: Final = 2
_TPM_ATTESTING: Final = x509.ObjectIdentifier("2.23.133.8.3")
_TPM_PARTS: Final = frozenset({"2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"})
"""Manufacturer, model and version (TPM 2.0 EK profile §3.2.9)."""
_ANDROID_DESCRIPTION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")
_IN_HARDWARE: Final = re.compile(
    # A DER sequence that begins with a version and a level, of the statement and then of the key;
    # 1 is TrustedEnvironment, 2 is StrongBox, 0 is software.
    rb"\x30(?:[\x00-\x7f]|\x81.|\x82..)" + 2 * rb"\x02(?:\x01.|\x02..)\x0a\x01[\x01\x02]",
    re.DOTALL,
)


def fits(form: str, leaf: x509.Certificate, aaguid: bytes) -> bool:
    """Whether this certificate may sign a statement of this format for a key of this model.

    Raises what parsers of extensions raise.
    """
    rule = _RULES.get(form)
    return rule is not None and leaf.version is x509.Version.v3 and rule(leaf, aaguid)


def _packed(leaf: x509.Certificate, aaguid: bytes) -> bool:
    return _names_its_maker(leaf.subject) and not _is_authority(leaf) and _is_of(leaf, aaguid)


def _tpm(leaf: x509.Certificate, aaguid: bytes) -> bool:
    uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    return (
        not list(leaf.subject)
        and _names_its_chip(leaf)
        and _TPM_ATTESTING in uses
        and not _is_authority(leaf)
        and _is_of(leaf, aaguid)
    )


def _android(leaf: x509.Certificate, _aaguid: bytes) -> bool:
    """The certificate is the key's own; it must say that the key was made and stays in hardware."""
    value = leaf.extensions.get_extension_for_oid(_ANDROID_DESCRIPTION).value
    return isinstance(value, x509.UnrecognizedExtension) and bool(_IN_HARDWARE.match(value.value))


def _apple(leaf: x509.Certificate, _aaguid: bytes) -> bool:
    return not _is_authority(leaf)


_RULES: Final[Mapping[str, Callable[[x509.Certificate, bytes], bool]]] = {
    "packed": _packed,
    "tpm": _tpm,
    "android-key": _android,
    "apple": _apple,
}


def _is_authority(leaf: x509.Certificate) -> bool:
    return leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


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


def _names_its_chip(leaf: x509.Certificate) -> bool:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    directory = names.get_values_for_type(x509.DirectoryName)
    return any({part.oid.dotted_string for part in name} >= _TPM_PARTS for name in directory)


def _is_of(leaf: x509.Certificate, aaguid: bytes) -> bool:
    try:
        extension = leaf.extensions.get_extension_for_oid(_AAGUID)
    except x509.ExtensionNotFound:
        return True
    value = extension.value
    return (
        not extension.critical
        and isinstance(value, x509.UnrecognizedExtension)
        and value.value == _OCTETS_OF_16 + aaguid
    )
