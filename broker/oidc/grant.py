"""The completed authorization as a frozen value: who, for whom, how sure, and since when."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broker.feature import SignedIn
from broker.identity.assurance import Policy, acr_of, assess, meets
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
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What the code stands for; frozen when the code is minted.

    `auth_time` is in seconds since 1970, as tokens say it. `session` is the session that it came
    from, by our own name; `sid` is what the client calls it (Back-Channel Logout §2.1).
    `acr_essential` are the `acr` names of which one must be told; `claims` is the client's
    `claims` parameter (Core §5.5).
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
    session: str | None = None
    sid: str | None = None
    acr_essential: tuple[str, ...] = ()
    claims: dict[str, Any] = field(default_factory=dict)
    authorization_details: tuple[dict[str, Any], ...] = ()
    resource: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready rendering; `from_json` is its inverse."""
        own = {name: getattr(self, name) for name in self.__slots__}
        kept = {name: getattr(self.assurance, name) for name in Assurance.__slots__}
        return own | {"assurance": kept}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Grant":
        """The grant that `to_json` rendered."""
        tuples: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()
        }
        assurance = {**kept["assurance"], "amr": tuple(kept["assurance"]["amr"])}
        return cls(**{**tuples, "assurance": Assurance(**assurance)})


def weigh(
    evidence: Iterable[Evidence],
    authenticator: str,
    policy: Policy,
    now: datetime,
    essential: Collection[str] = (),
) -> Assurance:
    """The pair of levels that the evidence and the way of signing in reach today.

    `acr` is the strongest name for it, but the first of the `essential` names that it meets
    where there is one (Core §5.5.1.1).
    """
    who = assess(evidence, policy, now)
    how = policy.authenticators[authenticator]
    met = met_names(who.level, how.level, essential, policy)
    return Assurance(
        identity=who.level,
        authenticator=how.level,
        acr=met[0] if met else acr_of(who.level, how.level, policy),
        amr=how.amr,
        policy=policy.version,
        because=who.because,
        evidence=who.evidence.reference if who.evidence else None,
        kind=who.evidence.kind if who.evidence else None,
    )


def met_names(
    identity: str, authenticator: str, names: Collection[str], policy: Policy
) -> tuple[str, ...]:
    """Those of the `acr` names, in the order given, that the pair of levels meets."""
    if not names:
        return ()
    known = {acr.name: acr for acr in policy.acr}
    return tuple(
        name
        for name in names
        if name in known and meets(identity, authenticator, known[name], policy)
    )


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970 (RFC 7519 NumericDate)."""
    return int(moment.timestamp())


def authenticated(signed_in: SignedIn) -> tuple[str, int]:
    """How and when the person signed in, as a Grant says it."""
    return signed_in.authenticator, seconds(signed_in.auth_time)
