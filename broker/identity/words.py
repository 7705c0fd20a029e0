"""What claims and levels are called on pages: English msgids, translated where they are shown."""

from collections.abc import Mapping
from typing import Final

CLAIMS: Final[Mapping[str, str]] = {
    "name": "Full name",
    "family_name": "Family name",
    "given_name": "Given names",
    "native_family_name": "Family name, in its own script",
    "native_given_name": "Given names, in their own script",
    "birth_family_name": "Family name at birth",
    "native_birth_family_name": "Family name at birth, in its own script",
    "preferred_username": "Name in use",
    "birthdate": "Date of birth",
    "place_of_birth": "Place of birth",
    "birthplace_code": "Place of birth, as a code",
    "country_of_birth": "Country of birth",
    "birthcountry_code": "Country of birth, as a code",
    "gender": "Sex",
    "nationalities": "Nationality",
    "document_type": "Kind of document",
    "document_number": "Document number",
    "issuing_state": "Issued by",
    "expiry_date": "Valid until",
    "date_of_expiry": "Valid until",
    "personal_number": "Personal number",
    "document_format": "Format of the zone",
    "record_type": "Electronic record",
    "issuing_authority": "Kept by",
    "attestation_type": "Kind of attestation",
    "attestation_number": "Number of the attestation",
    "attestation_date": "Attested on",
    "voucher_organization": "Attested by",
    "voucher_state": "State of who attested it",
    "signature_type": "Kind of signature",
    "certificate_issuer": "Certificate issued by",
    "certificate_serial_number": "Number of the certificate",
    "signed_at": "Signed on",
    "represented_name": "Represents",
    "native_represented_name": "Represents, in its own script",
    "represented_family_name": "Represents the person of family name",
    "represented_given_name": "Represents the person of given names",
    "represented_birthdate": "Represents the person born on",
    "represented_identifier": "Number of who is represented",
}
"""Claim name → what people call it, in the order in which pages show them."""

VALUES: Final[Mapping[tuple[str, str], str]] = {
    ("gender", "M"): "male",
    ("gender", "F"): "female",
    ("gender", "X"): "unspecified (X)",
    ("gender", "male"): "male",
    ("gender", "female"): "female",
    ("document_type", "passport"): "passport",
    ("document_type", "idcard"): "identity card",
    ("document_type", "visa"): "visa",
    ("record_type", "eidas"): "a European identity",
    ("record_type", "franceconnect"): "FranceConnect",
    ("record_type", "eudi_pid"): "a European digital identity wallet",
    ("attestation_type", "digital_attestation"): "an electronic attestation",
    ("signature_type", "qualified_certificate"): "a qualified certificate",
    ("assurance_level", "low"): "low",
    ("assurance_level", "substantial"): "substantial",
    ("assurance_level", "high"): "high",
}
"""(claim name, value) → the value in words, where it is a code."""

LEVELS: Final[Mapping[str, tuple[str, str]]] = {
    "declared": (
        "declared",
        "This is what a document says. Nobody has checked that it is genuine, or yours.",
    ),
    "basic": (
        "basic",
        (
            "Somebody looked at your document and at you, "
            "or another state vouches for you at its low level."
        ),
    ),
    "verified": (
        "verified",
        (
            "You were compared with a genuine document, "
            "or another state vouches for you at its substantial level."
        ),
    ),
    "official": (
        "official",
        "An authority has established who you are.",
    ),
}
"""Label of an identity level → the label as a word, and what it means to the person."""

PLACE: Final = "line %(line)s, place %(places)s"
PLACES: Final = "line %(line)s, places %(places)s"
"""Where a value stands in a zone, as people count: one symbol, or several."""

UNKNOWN: Final = "not known"
"""A date of which the document leaves every part open."""


def rank(name: str) -> int:
    """The place of a claim on a page; unknown ones come last."""
    known = list(CLAIMS)
    return known.index(name) if name in CLAIMS else len(known)
