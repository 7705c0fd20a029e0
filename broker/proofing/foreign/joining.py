"""Whether what was shown may stand beside what is on file: nothing of two people ever does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from broker.identity.evidence import Evidence
from broker.identity.same_person import RULE, Comparison, Meeting, Verdict, compared
from broker.proofing import store as filed
from broker.proofing.foreign import store
from broker.web.locale import gettext

ELSEWHERE, OTHERS = "identity_elsewhere", "identity_of_another"


@dataclass(frozen=True, slots=True)
class Joining:
    """What came of it: `refusal` a code, or `asks` where the person must say that it is them.

    `method` is how it would be linked, for the record: by its `identifier` (known already, or
    nothing to compare it with), by the `rule`, or by the `person`, who was asked.
    """

    refusal: str | None = None
    asks: Comparison | None = None
    method: str = "identifier"

    def facts(self) -> dict[str, str]:
        """What the record is told: reasons that name nobody."""
        if self.asks is None:
            return {"method": self.method, "rule": RULE}
        reasons = {
            "birthdate": self.asks.birthdate,
            "family": self.asks.family,
            "given": self.asks.given,
        }
        told = " ".join(f"{name}:{meeting.value}" for name, meeting in reasons.items())
        return {"method": self.method, "rule": RULE, "reasons": told}


def joining(tx: Session, account_id: str, evidence: Evidence) -> Joining:
    """What the rule says of this evidence beside everything that the account has on file.

    Readings of documents alone are not compared: only where a foreign identity is among them.
    """
    if evidence.origin is not None:
        whose = store.owner(tx, evidence.origin)
        if whose is not None:
            return Joining() if whose == account_id else Joining(ELSEWHERE)
    beside = filed.evidence(tx, account_id)
    return beside_all(evidence, (e for e in beside if e.origin or evidence.origin))


def beside_all(evidence: Evidence, others: Iterable[Evidence]) -> Joining:
    """As `joining`, of evidence that is nobody's yet. Pure."""
    found = [compared(evidence, other) for other in others]
    if any(c.verdict is Verdict.DIFFERENT for c in found):
        return Joining(OTHERS)
    unclear = [c for c in found if c.verdict is Verdict.UNCLEAR]
    if unclear:
        return Joining(asks=unclear[0], method="person")
    return Joining(method="rule" if found else "identifier")


def join(tx: Session, account_id: str, evidence: Evidence, method: str, now: datetime) -> str:
    """What happened to the identity behind the evidence, or "" where nothing had to.

    `linked` now, or `elsewhere`: another account's, this very moment.
    """
    origin = evidence.origin
    if origin is None or store.owner(tx, origin) == account_id:
        return ""
    return "linked" if store.link(tx, account_id, origin, method, now) else "elsewhere"


def doubts(asked: Comparison) -> list[str]:
    """Why the person is asked, in the language of this answer."""
    why = (
        (asked.birthdate, gettext("The date of birth is not known whole on both sides.")),
        (asked.family, gettext("The family names are not written alike.")),
        (asked.given, gettext("The given names are not written alike.")),
    )
    return [words for meeting, words in why if meeting is not Meeting.WHOLE]
