"""Schemes, keys and surroundings for a verifier of SAML."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from broker.identity.scheme import Scheme
from broker.identity.verifier import Surroundings
from broker.outbound import Outbound
from tests.conftest import _KEYS, ISSUER, NOON

NATURAL = "http://eidas.europa.eu/attributes/naturalperson"
LEGAL = "http://eidas.europa.eu/attributes/legalperson"
LOA = "http://eidas.europa.eu/LoA/"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

CLAIMS = {
    "family_name": f"{NATURAL}/CurrentFamilyName",
    "given_name": f"{NATURAL}/CurrentGivenName",
    "birthdate": f"{NATURAL}/DateOfBirth",
    "birth_family_name": f"{NATURAL}/BirthName",
    "gender": f"{NATURAL}/Gender",
    "place_of_birth": f"{NATURAL}/PlaceOfBirth",
    "nationalities": f"{NATURAL}/Nationality",
}
PLAIN_CLAIMS = {"family_name": "familyName", "given_name": "name", "birthdate": "dateOfBirth"}


def scheme(
    name: str = "xa", *, country: str = "XA", saml: Mapping[str, Any], **changed: Any
) -> Scheme:
    """A scheme of one country whose levels are those of eIDAS."""
    levels = ("low", "substantial", "high")
    told = {
        "id": name,
        "enabled": True,
        "protocol": "saml",
        "framework": "eidas",
        "countries": (country,),
        "name": {"fr": "Pays d’essai", "ar": "بلد تجريبي", "en": "Trial country"},
        "about": {"fr": "Rien.", "ar": "لا شيء.", "en": "Nothing."},
        "levels": [
            {"says": f"{LOA}{level}", "means": level, "evidence": f"eidas_{level}", "told": level}
            for level in levels
        ],
        "identifier": f"{NATURAL}/PersonIdentifier",
        "claims": CLAIMS,
        "section": dict(saml),
    }
    return Scheme.model_validate(told | changed)


def around(keys: Path, *schemes: Scheme, files: Path | None = None, **changed: Any) -> Surroundings:
    """What the verifier is built with: these schemes, and the key files in `keys`."""
    draws = count(1)
    told: dict[str, Any] = {
        "issuer": ISSUER,
        "schemes": lambda: {one.id: one for one in schemes},
        "keys": lambda: _KEYS,
        "random": lambda n: next(draws).to_bytes(n, "big"),
        "outbound": Outbound(),
        "key_files": keys,
        "scheme_files": files or keys,
    }
    return Surroundings(**(told | changed))


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """A key of this name, made once a process; 2048 bits, which is quick."""
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key(name: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@cache
def self_signed(key: Key, name: str = "test") -> x509.Certificate:
    """A certificate of the key, whose dates are long over: only the key counts."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    made = made.public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(NOON - timedelta(days=800))
    return made.not_valid_after(NOON - timedelta(days=400)).sign(key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def written(path: Path, key: Key, certificate: x509.Certificate | None = None) -> Path:
    """A key file as the broker reads it."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + pem(certificate or self_signed(key)).encode("ascii"))
    return path
