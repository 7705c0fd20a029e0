"""A small real verifier: somebody hands in a letter that says who they are, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from broker.db import db
from broker.errors import EvidenceRejected
from broker.identity.evidence import Check, Claim, Evidence, Outcome
from broker.identity.verifier import Attempt, Message, Opening, Page, Redirect, Reply

ANNA = b"""family_name=ERIKSSON
given_name=ANNA MARIA
birthdate=1974-08-12
gender=female
document_type=passport
document_number=L898902C3
issuing_state=UTO
expiry_date=2032-04-15
"""


@dataclass(frozen=True)
class LetterVerifier:
    """`open_transactions` notes, for every reading, whether the database was held meanwhile."""

    open_transactions: list[bool] = field(default_factory=list)

    kind: ClassVar[str] = "letter"
    produces: ClassVar[frozenset[str]] = frozenset({"mrz_photo"})
    establishes: ClassVar[frozenset[str]] = frozenset({"check_digits"})
    handle_param: ClassVar[str] = "letter_attempt"
    size_limit: ClassVar[int] = 1000
    title: ClassVar[str] = "A letter"
    summary: ClassVar[str] = "You need a pen."
    refusals: ClassVar[Mapping[str, Message]] = {
        "letter_blank": Message("Nothing is written here.", "Write something."),
        "letter_stale": Message("This is the answer to another question.", "Answer this one."),
    }

    def open(self, attempt: Attempt) -> Opening:
        return Opening(Page("letter/write.html"), {"question": _question(attempt)})

    def close(self, attempt: Attempt, reply: Reply) -> Evidence:
        self.open_transactions.append(db.session().in_transaction())
        lines = reply.files.get("letter", b"").decode().splitlines()
        if not lines:
            raise EvidenceRejected("letter_blank")
        if attempt.remembered != {"question": reply.fields.get("question", _question(attempt))}:
            raise EvidenceRejected("letter_stale")
        said = [line.partition("=") for line in lines]
        claims = tuple(
            Claim(name, value.replace("~", ""), f"line {n}, 1–9", faint(value))
            for n, (name, _, value) in enumerate(said, 1)
        )
        return Evidence(next(iter(self.produces)), claims, CHECKS, attempt.now)


CHECKS = (
    Check("data", "check_digits", Outcome.PASSED),
    Check("data", "not_specimen", Outcome.FAILED),
    Check("vcrypt", "issuer_signature", Outcome.SKIPPED),
)


@dataclass(frozen=True)
class ComparedVerifier(LetterVerifier):
    """A door at which somebody also looks at the person: level basic."""

    kind: ClassVar[str] = "compared"
    produces: ClassVar[frozenset[str]] = frozenset({"mrz_photo_operator"})
    title: ClassVar[str] = "A letter, handed over in person"


@dataclass(frozen=True)
class AbroadVerifier(LetterVerifier):
    """A door that leads to another house."""

    kind: ClassVar[str] = "abroad"

    def open(self, attempt: Attempt) -> Opening:
        return Opening(Redirect(f"https://abroad.test/?state={attempt.handle}"))


def faint(value: str) -> tuple[int, ...]:
    """The places of letters behind a ~: whoever wrote them was in doubt."""
    parts = value.split("~")
    return tuple(sum(map(len, parts[:n])) for n in range(1, len(parts)))


def _question(attempt: Attempt) -> str:
    return attempt.handle[::-1]
