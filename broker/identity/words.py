"""What claims and levels are called on pages: English msgids, translated where they are shown."""

from collections.abc import Mapping
from typing import Final

CLAIMS: Final[Mapping[str, str]] = {
    "name": "Full name",
    "family_name": "Family name",
    "given_name": "Given names",
    "birthdate": "Date of birth",
    "gender": "Sex",
    "nationalities": "Nationality",
    "document_type": "Kind of document",
    "document_number": "Document number",
    "issuing_state": "Issued by",
    "expiry_date": "Valid until",
    "date_of_expiry": "Valid until",
    "personal_number": "Personal number",
    "document_format": "Format of the zone",
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

PLACE: Final = "line %(line)s, places %(places)s"
"""Where a value stands in a zone, as people count."""

UNKNOWN: Final = "not known"
"""A date of which the document leaves every part open."""


def rank(name: str) -> int:
    """The place of a claim on a page; unknown ones come last."""
    known = list(CLAIMS)
    return known.index(name) if name in CLAIMS else len(known)
