"""The completed authorization as a frozen value: who, for whom, how sure, and since when."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from broker.feature import SignedIn
from broker.identity.assurance import Policy, acr_of, assess
from broker.identity.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Assurance:
    """How sure we are, as a pair, with the rule and the evidence behind it."""

    identity: str
    authenticator: str
    acr: str
    amr: tuple[str, ...]
    policy: str
    because: str | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What the code stands for; frozen when the code is minted.

    `auth_time` is in seconds since 1970, as tokens say it.
    """

    id: str
    account_id: str
    client_id: str
    subject: str
    scope: tuple[str, ...]
    authenticator: str
    auth_time: int
    assurance: Assurance
    nonce: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready rendering; `from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Grant":
        """The grant that `to_json` rendered."""
        assurance = {**kept["assurance"], "amr": tuple(kept["assurance"]["amr"])}
        return cls(**{**kept, "scope": tuple(kept["scope"]), "assurance": Assurance(**assurance)})


def weigh(
    evidence: Iterable[Evidence], authenticator: str, policy: Policy, now: datetime
) -> Assurance:
    """The pair of levels that the evidence and the way of signing in reach today."""
    who = assess(evidence, policy, now)
    how = policy.authenticators[authenticator]
    return Assurance(
        identity=who.level,
        authenticator=how.level,
        acr=acr_of(who.level, how.level, policy),
        amr=how.amr,
        policy=policy.version,
        because=who.because,
        evidence=who.evidence.reference if who.evidence else None,
    )


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970 (RFC 7519 NumericDate)."""
    return int(moment.timestamp())


def authenticated(signed_in: SignedIn) -> tuple[str, int]:
    """How and when the person signed in, as a Grant says it."""
    return signed_in.authenticator, seconds(signed_in.auth_time)
