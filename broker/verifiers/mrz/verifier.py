"""The verifier of photographed passports."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from broker.errors import EvidenceRejected
from broker.identity.evidence import Check, Claim, Evidence, Outcome
from broker.identity.verifier import Attempt, Message, Opening, Page, Reply
from broker.verifiers.mrz.answer import Answer, Cause, ReadUploads
from broker.verifiers.mrz.faint import faint
from broker.verifiers.mrz.layouts import Format
from broker.verifiers.mrz.refusals import REFUSALS
from broker.verifiers.mrz.states import SPECIMEN, is_known
from broker.verifiers.mrz.zone import UNREADABLE, Zone, parse

MOST_FILES: Final = 3
"""Pictures of one document that are read together; more would not say more."""

GENDERS: Final = {"M": "male", "F": "female", "X": "X"}

NOT_PASSPORTS: Final = {
    Format.TD1: "mrz_identity_card",
    Format.TD2: "mrz_identity_card",
    Format.IDFRA: "mrz_identity_card",
    Format.MRV_A: "mrz_visa",
    Format.MRV_B: "mrz_visa",
}

NOT_PROVED: Final = (
    Check("vcrypt", "issuer_signature", Outcome.SKIPPED),
    Check("vpiruv", "document_genuine", Outcome.SKIPPED),
    Check("pvr", "holder_present", Outcome.SKIPPED),
)
"""What no photograph can show: anybody can print a zone whose arithmetic holds."""


@dataclass(frozen=True, slots=True)
class MrzVerifier:
    """`read` finds zones in pictures; `specimens` admits those of Utopia, for demonstrations."""

    read: ReadUploads
    specimens: bool = False

    kind: ClassVar[str] = "mrz"
    produces: ClassVar[frozenset[str]] = frozenset({"mrz_photo"})
    establishes: ClassVar[frozenset[str]] = frozenset(
        {"check_digits", "issuing_state_known", "not_expired", "not_specimen", "names_whole"}
    )
    handle_param: ClassVar[str] = "attempt"
    size_limit: ClassVar[int] = 16 * 1024 * 1024
    by_phone: ClassVar[bool] = True
    title: ClassVar[str] = "A photograph of your passport"
    summary: ClassVar[str] = "You need your passport, still valid, and a camera or a scan."
    refusals: ClassVar[Mapping[str, Message]] = REFUSALS

    def open(self, attempt: Attempt) -> Opening:
        """Ask for a photograph of the data page."""
        return Opening(Page("mrz/photograph.html", {"attempt": attempt.handle}))

    def close(self, attempt: Attempt, reply: Reply) -> Evidence:
        """Evidence read from the photographs, which are forgotten when this returns.

        Raises EvidenceRejected with a code of `refusals`.
        """
        uploads = tuple(upload for upload in reply.files.values() if upload)
        if not uploads:
            raise EvidenceRejected("picture_missing")
        answer = self.read(uploads[:MOST_FILES])
        zone = _one_zone(answer, attempt.now.date())
        doubtful = faint(zone, answer.sure[0] if answer.sure else ())
        return Evidence(
            kind="mrz_photo",
            claims=tuple(_claims(zone, doubtful)),
            checks=(*self._checks(zone, attempt.now.date()), *NOT_PROVED),
            at=attempt.now,
            expires=zone.expiry_date,
        )

    def _checks(self, zone: Zone, today: date) -> tuple[Check, ...]:
        """Every check that can be made. Raises EvidenceRejected at the first mandatory one failed.

        A check without a code is not mandatory: its outcome is recorded as it is.
        """
        states = (zone.issuing_state, zone.nationality or "")
        made = (
            ("check_digits", zone.holds(), UNREADABLE),
            ("issuing_state_known", all(map(is_known, states)), "mrz_unknown_state"),
            ("not_specimen", SPECIMEN not in states, None if self.specimens else "mrz_specimen"),
            ("not_expired", _is_valid(zone, today), "mrz_expired"),
            ("names_whole", not zone.names.is_truncated, None),
        )
        for _, holds, code in made:
            if code is not None and not holds:
                raise EvidenceRejected(code)
        return tuple(Check("data", name, Outcome.of(holds)) for name, holds, _ in made)


def _one_zone(answer: Answer, today: date) -> Zone:
    """The zone of the one passport that was found. Raises EvidenceRejected if it is not that."""
    if not answer.zones:
        raise EvidenceRejected(answer.cause or Cause.NOT_FOUND)
    if len(answer.zones) > 1:
        raise EvidenceRejected("mrz_two_documents")
    zone = parse(answer.zones[0], today)
    if zone.holds() and zone.format in NOT_PASSPORTS:
        raise EvidenceRejected(NOT_PASSPORTS[zone.format])
    return zone


def _is_valid(zone: Zone, today: date) -> bool:
    # The last day counts: a passport is valid until its end.
    return zone.expiry_date is not None and today <= zone.expiry_date


def _claims(zone: Zone, doubtful: Mapping[str, tuple[int, ...]]) -> Iterator[Claim]:
    """What the zone says and where; what it leaves open is left out."""
    said = (
        ("family_name", zone.names.surname, "names"),
        ("given_name", zone.names.given_names, "names"),
        ("birthdate", str(zone.birth_date), "birth_date"),
        ("gender", GENDERS.get(zone.sex or ""), "sex"),
        ("nationalities", zone.nationality, "nationality"),
        ("document_type", "passport", "document_code"),
        ("document_number", zone.document_number, "document_number"),
        ("issuing_state", zone.issuing_state, "issuing_state"),
        ("expiry_date", str(zone.expiry_date), "expiry_date"),
        ("personal_number", zone.optional_data[0], "optional_data"),
    )
    for name, value, field in said:
        if value:
            yield Claim(name, value, zone.place(field), doubtful.get(name, ()))
    yield Claim("document_format", zone.format.value, f"{len(zone.lines)} × {len(zone.lines[0])}")
