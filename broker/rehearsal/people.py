"""The test persons: what each has shown, and what each signs in with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from types import MappingProxyType

from broker.identity.evidence import Check, Claim, Evidence, Outcome

SOURCE = "rehearsal"
_EXPIRY = date(2099, 12, 31)
_PASSKEY = "passkey_synced"


@dataclass(frozen=True, slots=True)
class TestPerson:
    """A person who exists in rehearsals only.

    `evidence` is a key of the policy's `evidence` table, None for somebody who has shown nothing;
    `authenticator` one of its `authenticators` table.
    """

    name: str
    given_name: str
    family_name: str
    evidence: str | None
    authenticator: str
    checks: tuple[Check, ...] = field(default=())

    def shown(self, now: datetime) -> Evidence | None:
        """What the person has shown, on the first hour of today, or None."""
        if self.evidence is None:
            return None
        at = datetime.combine(now.date(), time(0, tzinfo=UTC))
        return Evidence(self.evidence, self._claims(), self.checks, at, _EXPIRY)

    def _claims(self) -> tuple[Claim, ...]:
        said = {
            "given_name": self.given_name,
            "family_name": self.family_name,
            "birthdate": "1990-05-17",
            "gender": "female",
            "nationalities": "UTO",
            "document_number": f"TEST{len(self.name):05d}",
            "document_type": "passport",
            "issuing_state": "UTO",
            "expiry_date": _EXPIRY.isoformat(),
        }
        return tuple(Claim(name, value, SOURCE) for name, value in said.items())


def _passed(*checks: tuple[str, str]) -> tuple[Check, ...]:
    return tuple(Check(method, name, Outcome.PASSED) for method, name in checks)


_PRINTED = _passed(("data", "check_digits"), ("data", "not_expired"))
_CHIP = (*_PRINTED, *_passed(("vcrypt", "issuer_signature")))
_COMPARED = (*_CHIP, *_passed(("pvr", "holder_present")))
_IN_PERSON = _passed(("vpip", "document_genuine"), ("pvp", "holder_present"))

_EVERYBODY = (
    TestPerson("newcomer", "NOUR", "ESSAI", None, _PASSKEY),
    TestPerson("code", "SAMI", "ESSAI", "mrz_photo", "access_code", _PRINTED),
    TestPerson("declared", "AMINA", "ESSAI", "mrz_photo", _PASSKEY, _PRINTED),
    TestPerson("basic", "KARIM", "ESSAI", "chip_pa_operator_async", "pin_totp", _COMPARED),
    TestPerson("verified", "LEILA", "ESSAI", "chip_pa_aa_operator_live", _PASSKEY, _COMPARED),
    TestPerson("attested", "YOUSSEF", "ESSAI", "consular_in_person", "key_attested", _IN_PERSON),
    TestPerson("official", "SALMA", "ESSAI", "eudi_pid", "key_attested", _CHIP[2:]),
)

PEOPLE: Mapping[str, TestPerson] = MappingProxyType({one.name: one for one in _EVERYBODY})
"""Name → the test person, the least assured first."""
