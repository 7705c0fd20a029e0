"""`verified_claims` → what a person reads of it before agreeing: every word that would be told."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from broker.consent.values import VERIFIED, Row, rows
from broker.web import shown
from broker.web.locale import format_date, gettext

FRAMEWORKS: Final[Mapping[str, str]] = {"eidas": "eIDAS"}
"""Trust frameworks that are not ours, as people write them."""

PATHS: Final[Mapping[tuple[str, ...], str]] = {
    ("document_details", "type"): "document_type",
    ("document_details", "document_number"): "document_number",
    ("document_details", "date_of_expiry"): "date_of_expiry",
    ("document_details", "issuer", "country_code"): "issuing_state",
    ("record", "type"): "record_type",
    ("record", "date_of_expiry"): "date_of_expiry",
    ("record", "source", "name"): "issuing_authority",
    ("record", "source", "country_code"): "issuing_state",
    ("attestation", "type"): "attestation_type",
    ("attestation", "reference_number"): "attestation_number",
    ("attestation", "date_of_issuance"): "attestation_date",
    ("attestation", "voucher", "organization"): "voucher_organization",
    ("attestation", "voucher", "country_code"): "voucher_state",
    ("signature_type",): "signature_type",
    ("issuer",): "certificate_issuer",
    ("serial_number",): "certificate_serial_number",
    ("created_at",): "signed_at",
}
"""Where in an entry of evidence → what people call it; anything else shows its own name."""

_SENTENCE: Final = frozenset({"document_type", "issuing_state"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What `verified_claims` would tell, in words; None or empty where it is silent.

    `framework` is set where the level is another's. `checks`: the checks made would be listed.
    """

    level: str
    meaning: str
    framework: str
    day: date | None
    document: str | None
    state: str | None
    details: tuple[Row, ...]
    verified: tuple[Row, ...]
    checks: bool
    reference: bool


def proofs(told: Iterable[Mapping[str, Any]]) -> tuple[Proof, ...]:
    """What every `verified_claims` would tell, each once; empty where there is none."""
    elements: list[Mapping[str, Any]] = []
    for said in told:
        found = said.get(VERIFIED, [])
        elements += found if isinstance(found, list) else [found]
    return tuple(dict.fromkeys(map(_proof, elements)))


def _proof(element: Mapping[str, Any]) -> Proof:
    verification = element["verification"]
    entries: list[Mapping[str, Any]] = verification.get("evidence", [])
    label = str(verification.get("assurance_level", ""))
    framework = FRAMEWORKS.get(verification["trust_framework"], "")
    day = _day(verification.get("time"))
    said = [dict(_leaves(entry)) for entry in entries]
    document, state = _in_a_sentence(said, day)
    details = [row for n, one in enumerate(said) for row in _details(one, document and n == 0)]
    if day and not document:
        details.insert(0, (gettext("Verified on"), format_date(day), None))
    return Proof(
        level=shown.value("assurance_level", label) if framework else shown.level(label),
        meaning="" if framework else shown.meaning(label),
        framework=framework,
        day=day,
        document=document,
        state=state,
        details=tuple(details),
        verified=tuple(rows(element["claims"])),
        checks=any("check_details" in entry for entry in entries),
        reference="verification_process" in verification,
    )


def _in_a_sentence(
    said: list[dict[str, str]], day: date | None
) -> tuple[str, str] | tuple[None, None]:
    """The first document and its state, where both are told with the day: a sentence says them."""
    first = said[0] if said else {}
    if day is None or not first.keys() >= _SENTENCE or "record_type" in first:
        return None, None
    return (
        shown.value("document_type", first["document_type"]),
        shown.state(first["issuing_state"]),
    )


def _details(said: Mapping[str, str], in_sentence: object) -> list[Row]:
    left = {name: value for name, value in said.items() if not (in_sentence and name in _SENTENCE)}
    return rows(left)


def _leaves(entry: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every value told in an entry of evidence, under the name that people know it by."""
    if isinstance(entry, Mapping):
        for name, inner in entry.items():
            if (*path, name) not in {("type",), ("check_details",)}:
                yield from _leaves(inner, (*path, name))
    else:
        yield PATHS.get(path, ".".join(path)), _in_short(path, str(entry))


def _in_short(path: tuple[str, ...], text: str) -> str:
    # A type of ours is a URI: people read its last word.
    return text.rsplit("/", 1)[-1] if path[-1] in {"type", "signature_type"} else text


def _day(moment: str | None) -> date | None:
    return None if moment is None else datetime.fromisoformat(moment).date()
