"""What was shown, with every check made on it (OpenID Identity Assurance 1.0, `evidence`)."""

from dataclasses import astuple, dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of a check; a skipped one proves nothing and must never read as passed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"

    @classmethod
    def of(cls, holds: bool) -> "Outcome":  # noqa: FBT001  the one argument is the verdict
        """PASSED if it holds, else FAILED."""
        return cls.PASSED if holds else cls.FAILED


@dataclass(frozen=True, slots=True)
class Check:
    """One test of one property: `method` is IDA's check_method or a name of ours."""

    method: str
    property: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that the evidence says, and where in the evidence it stands.

    `name` is the OpenID Connect name where there is one (family_name, given_name, birthdate,
    gender, nationalities), else ours (document_number, document_type, document_format,
    issuing_state, expiry_date, personal_number; issuing_authority; birth_family_name,
    preferred_username, place_of_birth, country_of_birth, and birthplace_code, birthcountry_code
    in the numbering of whoever told them; of an attestation
    attestation_number, voucher_organization, voucher_state; of a certificate certificate_issuer,
    certificate_serial_number). `value` is text: dates are ISO 8601, unknown
    parts of a birth date are `0000` or `00` as in the zone, never guessed. `source` names the
    place, e.g. "line 2, 14–19". `faint` are the places in `value`, from 0, of the letters that
    were seen least well and that nothing else guards: whoever confirms must look there.
    """

    name: str
    value: str
    source: str
    faint: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """The scheme that vouched, and what it asserted in its own framework and words.

    `holder` is the identifier by which the scheme knows the person: stable, and as secret as a
    number of a document.
    """

    scheme: str
    framework: str
    level: str
    holder: str


@dataclass(frozen=True, slots=True)
class Once:
    """A name that may be used one time, and for how long from now that must be remembered."""

    name: str
    remembered: timedelta


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was shown: it exists only if every mandatory check passed.

    `kind` is a key of the policy's `evidence` table. `expires` is the last day on which the
    document itself is valid, if it says so. `origin` is None where no scheme vouched.
    """

    kind: str
    claims: tuple[Claim, ...]
    checks: tuple[Check, ...]
    at: datetime
    expires: date | None = None
    reference: str = ""
    """Name under which it was filed; empty until then. The record speaks of it by this name."""
    origin: Origin | None = None
    once: Once | None = field(default=None, compare=False)
    """What is used up by this evidence, for whoever takes it; it is not filed with it."""

    def value(self, name: str) -> str | None:
        """The value of the claim called `name`, or None where the evidence does not say."""
        return next((claim.value for claim in self.claims if claim.name == name), None)


def confirmed(evidence: Evidence) -> Evidence:
    """The evidence once somebody has compared it with the document: nothing is faint any more."""
    return replace(evidence, claims=tuple(replace(c, faint=()) for c in evidence.claims))


def to_json(evidence: Evidence) -> dict[str, Any]:
    """A JSON-ready rendering; `from_json` is its inverse."""
    return {
        "kind": evidence.kind,
        "claims": [_claim_to_json(claim) for claim in evidence.claims],
        "checks": [[c.method, c.property, c.outcome.value] for c in evidence.checks],
        "at": evidence.at.isoformat(),
        "expires": evidence.expires and evidence.expires.isoformat(),
        "reference": evidence.reference,
        "origin": None if (o := evidence.origin) is None else [*astuple(o)],
    }


def from_json(stored: dict[str, Any]) -> Evidence:
    """The Evidence that `to_json` rendered."""
    return Evidence(
        kind=stored["kind"],
        claims=tuple(Claim(*c[:3], *map(tuple, c[3:])) for c in stored["claims"]),
        checks=tuple(Check(m, p, Outcome(o)) for m, p, o in stored["checks"]),
        at=datetime.fromisoformat(stored["at"]),
        expires=date.fromisoformat(stored["expires"]) if stored["expires"] else None,
        reference=stored["reference"],
        origin=Origin(*origin) if (origin := stored.get("origin")) else None,
    )


def _claim_to_json(claim: Claim) -> list[Any]:
    said = [claim.name, claim.value, claim.source]
    return [*said, [*claim.faint]] if claim.faint else said
