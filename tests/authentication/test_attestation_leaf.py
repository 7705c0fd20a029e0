"""Each format of attestation has its own rules for the certificate that signs."""

from typing import Any

import cbor2
import pytest
from cryptography import x509
from pyasn1.codec.der.encoder import encode
from webauthn.helpers.asn1.android_key import KeyDescription

from broker.authentication.attestation import is_attested
from tests.authentication.maker import AAGUID, Party, aaguid_extension, party
from tests.conftest import NOON

ROOT = party("Root", ca=True)
Extension = tuple[x509.ExtensionType, bool]

_CHIP = ("2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3")
_ANDROID = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")


def chip(*parts: str, critical: bool = True) -> Extension:
    """Who made the TPM, which model and version, as a directory name."""
    oids = [x509.NameAttribute(x509.ObjectIdentifier(part), "id:1") for part in parts]
    return x509.SubjectAlternativeName([x509.DirectoryName(x509.Name(oids))]), critical


def use(oid: str = "2.23.133.8.3") -> Extension:
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid)]), False


def described(attestation: str, keymaster: str) -> Extension:
    """What an Android key says of where it was attested and where it lives."""
    said = KeyDescription()
    said["attestationVersion"] = said["keymasterVersion"] = 100
    said["attestationSecurityLevel"], said["keymasterSecurityLevel"] = attestation, keymaster
    said["attestationChallenge"] = said["uniqueId"] = b""
    for scope in ("softwareEnforced", "teeEnforced"):
        said[scope].clear()
    return x509.UnrecognizedExtension(_ANDROID, encode(said)), False


def judged(form: Any, leaf: Party, *anchors: Party) -> bool:
    said = {"fmt": form, "attStmt": {"x5c": [leaf.der]}, "authData": bytes(37) + AAGUID + bytes(20)}
    roots = [anchor.certificate for anchor in anchors or (ROOT,)]
    return is_attested(cbor2.dumps(said), roots, NOON)


def leaf(*extensions: Extension, subject: Any = "A key", ca: bool = False) -> Party:
    return party(subject, ROOT, ca=ca, extensions=list(extensions))


def tpm(*extensions: Extension, **more: Any) -> Party:
    return leaf(*extensions, **{"subject": {}, **more})


def test_a_tpm_is_vouched_for_by_its_attestation_key_s_certificate() -> None:
    assert judged("tpm", tpm(chip(*_CHIP), use(), (aaguid_extension(), False)))


@pytest.mark.parametrize(
    "wrong",
    [
        tpm(chip(*_CHIP), use(), subject="Somebody"),
        tpm(chip(*_CHIP[:2]), use()),
        tpm(use()),
        tpm(chip(*_CHIP)),
        tpm(chip(*_CHIP), use("1.3.6.1.5.5.7.3.2")),
        tpm(chip(*_CHIP), use(), ca=True),
        tpm(chip(*_CHIP), use(), (aaguid_extension(bytes(16)), False)),
    ],
    ids=["subject", "no version", "no chip", "no use", "use", "authority", "model"],
)
def test_a_tpm_certificate_that_breaks_a_rule_of_8_3_1_vouches_for_nothing(wrong: Party) -> None:
    assert not judged("tpm", wrong)


@pytest.mark.parametrize("level", ["TrustedEnvironment", "StrongBox"])
def test_an_android_key_in_hardware_is_vouched_for(level: str) -> None:
    assert judged("android-key", leaf(described(level, level)))


@pytest.mark.parametrize(
    "levels",
    [("Software", "Software"), ("StrongBox", "Software"), ("Software", "StrongBox")],
    ids="-".join,
)
def test_an_android_key_in_software_is_not(levels: tuple[str, str]) -> None:
    assert not judged("android-key", leaf(described(*levels)))


def test_an_android_description_that_cannot_be_read_vouches_for_nothing() -> None:
    broken = x509.UnrecognizedExtension(_ANDROID, b"\x30\x03\x02")
    assert not judged("android-key", leaf((broken, False)))


def test_apple_s_certificate_of_a_key_vouches_for_it() -> None:
    assert judged("apple", leaf())


def test_no_authority_of_apple_s_is_a_key() -> None:
    assert not judged("apple", leaf(ca=True))


@pytest.mark.parametrize("form", ["tpm", "android-key", "apple"])
def test_every_format_needs_a_chain_to_an_anchor_of_ours(form: str) -> None:
    extensions = [chip(*_CHIP), use(), described("StrongBox", "StrongBox")]
    assert judged(form, tpm(*extensions))
    assert not judged(form, tpm(*extensions), party("Another root", ca=True))


@pytest.mark.parametrize("form", ["fido-u2f", "none", "compound", "android-safetynet", 7, None])
def test_other_formats_draw_no_trust(form: Any) -> None:
    assert not judged(form, tpm(chip(*_CHIP), use()))
