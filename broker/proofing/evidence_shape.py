"""How each kind of our evidence stands in `verification.evidence`: one row a kind, pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from broker.identity.evidence import Evidence, Outcome
from broker.proofing.standard_claims import THREE_LETTERS


@dataclass(frozen=True, slots=True)
class Asserted:
    """A trust framework that is not ours and the level that was asserted within it."""

    framework: str
    level: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A row: `name` is the type of record, attestation or signature, a URI of ours if it has a /.

    `documents` are the types of documents that the kind admits. `methods` are the registered
    check methods that its checks may have; another one is told by a URI of ours.
    """

    type: str
    name: str = ""
    documents: tuple[str, ...] = ()
    methods: frozenset[str] = frozenset()
    asserted: Asserted | None = None


def _passport(*methods: str) -> Shape:
    return Shape("document", documents=("passport",), methods=frozenset(methods))


def _record(name: str, asserted: Asserted | None = None) -> Shape:
    return Shape("electronic_record", f"/record-types/{name}", (), frozenset({"vcrypt"}), asserted)


SHAPES: Final[Mapping[str, Shape]] = {
    "mrz_photo": _passport(),
    "mrz_photo_operator": _passport("vri", "pvr"),
    "mrz_photo_operator_affiliate_history": _passport("vri", "pvr"),
    "chip_pa_only": _passport("vcrypt"),
    "chip_pa_operator_async": _passport("vcrypt", "pvr"),
    "chip_pa_aa_operator_live": _passport("vcrypt", "pvr"),
    "consular_in_person": Shape(
        "vouch", "digital_attestation", (), frozenset({"vpip", "vpiruv", "vcrypt", "pvp"})
    ),
    "eidas_low": _record("eidas", Asserted("eidas", "low")),
    "eidas_substantial": _record("eidas", Asserted("eidas", "substantial")),
    "eidas_high": _record("eidas", Asserted("eidas", "high")),
    "fc_eidas1": _record("franceconnect"),
    "fc_eidas2": _record("franceconnect"),
    "fc_eidas3": _record("franceconnect"),
    "notified_low": _record("notified"),
    "notified_substantial": _record("notified"),
    "notified_high": _record("notified"),
    "foreign_low": _record("foreign"),
    "foreign_substantial": _record("foreign"),
    "foreign_high": _record("foreign"),
    "eudi_pid": _record("eudi_pid"),
    "qualified_cert": Shape("electronic_signature", "/signature-types/qualified_certificate"),
}
"""Evidence kind → its shape. A kind without one is evidence that we do not describe.

Only what an eIDAS node asserted is `eidas`: FranceConnect's levels bear its name and are another's.
What a scheme asserted (`Evidence.origin`) goes before what the kind says of it.
"""

REGISTERED_ELSEWHERE: Final = frozenset({"issuer_signature", "document_genuine", "holder_present"})
"""Properties whose checks have names in the registry of check methods."""

Methods = frozenset[str]
"""Check methods that may be told: registered names, and properties that ours are named after."""


def asserted(evidence: Evidence) -> Asserted | None:
    """What somebody else asserted, in their own framework and words, never in ours."""
    if (origin := evidence.origin) is not None:
        return Asserted(origin.framework, origin.level)
    shape = SHAPES.get(evidence.kind)
    return None if shape is None else shape.asserted


def describe(evidence: Evidence, issuer: str, methods: Methods) -> dict[str, Any] | None:
    """One entry of `evidence`, all that could be told of it; None for a kind without a shape.

    Dates and moments as `matching` holds them.
    """
    shape = SHAPES.get(evidence.kind)
    if shape is None:
        return None
    made: dict[str, Any] = {"type": shape.type}
    if checks := _checks(evidence, shape, issuer, methods):
        made["check_details"] = checks
    return made | _MEMBERS[shape.type](evidence, shape, issuer)


def method_uri(property_: str, issuer: str) -> str:
    """The name of a check of ours."""
    return f"{issuer}/check-methods/{property_}"


def type_of(shape: Shape, issuer: str) -> str:
    """The type of record, attestation or signature, written out."""
    return f"{issuer}{shape.name}" if shape.name.startswith("/") else shape.name


def _checks(
    evidence: Evidence, shape: Shape, issuer: str, methods: Methods
) -> list[dict[str, Any]]:
    """Only checks that passed: what failed or was skipped proves nothing and is not told."""
    if shape.type == "electronic_signature":  # the one type that has no check_details
        return []
    passed = [check for check in evidence.checks if check.outcome is Outcome.PASSED]
    names = [c.method for c in passed if c.method in shape.methods & methods]
    ours = [c.property for c in passed if c.method not in shape.methods]
    names += [method_uri(p, issuer) for p in ours if p in methods]
    return [{"check_method": name, "time": evidence.at} for name in dict.fromkeys(names)]


def _document(evidence: Evidence, shape: Shape, _issuer: str) -> dict[str, Any]:
    if (kind := evidence.value("document_type")) not in shape.documents:
        return {}
    details = {
        "type": kind,
        "document_number": evidence.value("document_number"),
        "date_of_expiry": _date(evidence.value("expiry_date")),
        "issuer": _known({"country_code": _state(evidence, "issuing_state")}),
    }
    return {"document_details": _known(details)}


def _electronic_record(evidence: Evidence, shape: Shape, issuer: str) -> dict[str, Any]:
    source = {
        "name": evidence.value("issuing_authority"),
        "country_code": _state(evidence, "issuing_state"),
    }
    record = {
        "type": type_of(shape, issuer),
        "date_of_expiry": evidence.expires,
        "source": _known(source),
    }
    return {"record": _known(record)}


def _vouch(evidence: Evidence, shape: Shape, issuer: str) -> dict[str, Any]:
    voucher = {
        "organization": evidence.value("voucher_organization"),
        "country_code": _state(evidence, "voucher_state"),
    }
    attestation = {
        "type": type_of(shape, issuer),
        "reference_number": evidence.value("attestation_number"),
        "date_of_issuance": evidence.at.date(),
        "voucher": _known(voucher),
    }
    return {"attestation": _known(attestation)}


def _electronic_signature(evidence: Evidence, shape: Shape, issuer: str) -> dict[str, Any]:
    signature = {
        "signature_type": type_of(shape, issuer),
        "issuer": evidence.value("certificate_issuer"),
        "serial_number": evidence.value("certificate_serial_number"),
        "created_at": evidence.at,
    }
    return _known(signature)


_MEMBERS: Final = {
    "document": _document,
    "electronic_record": _electronic_record,
    "electronic_signature": _electronic_signature,
    "vouch": _vouch,
}


def _known(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def _state(evidence: Evidence, name: str) -> str | None:
    code = evidence.value(name)
    return code and THREE_LETTERS.get(code, code)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def shapes(kinds: Iterable[str]) -> tuple[Shape, ...]:
    """The shapes of these kinds, in the table's order."""
    wanted = frozenset(kinds)
    return tuple(shape for kind, shape in SHAPES.items() if kind in wanted)
