"""A maker of security keys, with certificates, and a publisher of FIDO metadata about them."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.authentication.authenticator import b64
from tests.conftest import NOON

AAGUID = bytes(range(16))
MODEL = "00010203-0405-0607-0809-0a0b0c0d0e0f"
YEAR = timedelta(days=365)
_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
_ATTESTING = {
    NameOID.COUNTRY_NAME: "MA",
    NameOID.ORGANIZATION_NAME: "Maker",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "Authenticator Attestation",
    NameOID.COMMON_NAME: "Maker Attestation",
}
Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass
class Party:
    """A certificate and its private key."""

    certificate: x509.Certificate
    private: Private

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def party(
    subject: dict[x509.ObjectIdentifier, str] | str,
    issuer: Party | None = None,
    *,
    ca: bool = False,
    path_length: int | None = None,
    dates: tuple[datetime, datetime] = (NOON - YEAR, NOON + YEAR),
    extensions: list[tuple[x509.ExtensionType, bool]] | None = None,
    private: Private | None = None,
) -> Party:
    """Somebody certified by `issuer`, or by themselves."""
    private = private or ec.generate_private_key(ec.SECP256R1())
    parts = {NameOID.COMMON_NAME: subject} if isinstance(subject, str) else subject
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items()])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    )
    for extension, critical in extensions or []:
        builder = builder.add_extension(extension, critical)
    signer = issuer.private if issuer else private
    return Party(builder.sign(signer, hashes.SHA256()), private)


def aaguid_extension(aaguid: bytes = AAGUID) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(_EXTENSION, b"\x04\x10" + aaguid)


@dataclass
class Maker:
    """A root, an intermediate and a leaf that attests keys of one model."""

    root: Party = field(default_factory=lambda: party("Root", ca=True))
    wrong_subject: dict[x509.ObjectIdentifier, str] = field(default_factory=dict)
    extension: tuple[x509.ExtensionType, bool] | None = (aaguid_extension(), False)
    leaf_is_ca: bool = False

    def __post_init__(self) -> None:
        self.middle = party("Middle", self.root, ca=True, path_length=0)
        subject = {k: v for k, v in {**_ATTESTING, **self.wrong_subject}.items() if v}
        extensions = [self.extension] if self.extension else []
        self.leaf = party(subject, self.middle, ca=self.leaf_is_ca, extensions=extensions)

    def statement(self) -> Callable[[bytes], dict[str, Any]]:
        """What makes an honest packed statement over what is signed."""

        def make(signed: bytes) -> dict[str, Any]:
            assert isinstance(self.leaf.private, ec.EllipticCurvePrivateKey)
            signature = self.leaf.private.sign(signed, ec.ECDSA(hashes.SHA256()))
            return {"alg": -7, "sig": signature, "x5c": [self.leaf.der, self.middle.der]}

        return make

    def wrong(self, **more: Any) -> dict[str, Any]:
        """What a software key must be told to be one of this maker's."""
        return {"fmt": "packed", "aaguid": AAGUID, "att_stmt": self.statement(), **more}


def entry(*anchors: Party, statuses: tuple[str, ...] = ("FIDO_CERTIFIED_L2",), **said: Any) -> Any:
    """An entry of the metadata about the model."""
    return {
        "aaguid": MODEL,
        "statusReports": [{"status": status} for status in statuses],
        "metadataStatement": {
            "description": "Model One",
            "attestationTypes": ["basic_full"],
            "keyProtection": ["hardware", "secure_element"],
            "attestationRootCertificates": [
                base64.b64encode(anchor.der).decode() for anchor in anchors
            ],
            **said,
        },
    }


@dataclass
class Publisher:
    """Who signs the metadata; `alg` by what."""

    alg: str = "ES256"
    root: Party = field(default_factory=lambda: party("MDS Root", ca=True))
    dates: tuple[datetime, datetime] = (NOON - YEAR, NOON + YEAR)
    name: str = "mds.fidoalliance.org"

    def __post_init__(self) -> None:
        private = rsa.generate_private_key(65537, 2048) if self.alg == "RS256" else None
        names = [(x509.SubjectAlternativeName([x509.DNSName(self.name)]), False)]
        self.signer = party("MDS", self.root, dates=self.dates, extensions=names, private=private)  # type: ignore[arg-type]

    def blob(self, *entries: Any, number: Any = 7, next_update: str = "2026-12-01") -> str:
        """The signed BLOB."""
        head = {"alg": self.alg, "x5c": [base64.b64encode(self.signer.der).decode()]}
        payload = {"no": number, "nextUpdate": next_update, "entries": list(entries)}
        parts = [b64(json.dumps(part).encode()) for part in (head, payload)]
        return ".".join([*parts, b64(self.sign(".".join(parts).encode()))])

    def sign(self, signed: bytes) -> bytes:
        private = self.signer.private
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(private.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
