"""Evidence → how sure we are who it is: one pure function over a published policy.

The policy is data (`policy.yaml`), validated at start. Its identity levels P0–P3 and
authenticator levels C0–C3 are names of our own, so that nothing official is claimed by
accident; `acr` is a pair of both, and pairs are only partly ordered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from broker.identity.evidence import Evidence

SHIPPED = Path(__file__).with_name("policy.yaml")

Score = Annotated[int, Field(ge=0, le=4)]
Band = Literal["low", "medium", "high"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IdentityLevel(_Strict):
    """`verified`: whether claims of this level may stand in `verified_claims.claims`."""

    label: str
    verified: bool


class AuthenticatorLevel(_Strict):
    """How sure a way of signing in makes us that it is the same person again."""

    label: str
    phishing_resistant: bool
    nist: str
    eap: str | None = None


class Profile(_Strict):
    """A GPG 45 identity profile over one piece of evidence."""

    band: Band
    ev: tuple[Score, Score]
    activity: Score
    fraud: Score
    verification: Score


class Source(_Strict):
    """A lost-and-stolen or fraud source that is really asked."""

    id: str
    score: Score


class EvidenceKind(_Strict):
    """What a kind of evidence is worth: scores of ours, or a level that an upstream asserted."""

    ttl_days: Annotated[int, Field(ge=0)] = 3650
    ev: tuple[Score, Score] = (0, 0)
    activity: Score = 0
    verification: Score = 0
    upstream: str | None = None
    level: str | None = None
    binding: str | None = None
    chip_present: bool = False
    attended: bool = False
    signed_superior: bool = False
    in_person_official: bool = False


class Authenticator(_Strict):
    """What a way of signing in is worth, and how a token names it (RFC 8176)."""

    level: str
    amr: tuple[str, ...]


class Needs(_Strict):
    """The pair that an `acr` value stands for."""

    identity: str
    authenticator: str


class Acr(_Strict):
    """An `acr` value: its last path segment, and the pair it needs."""

    name: str
    needs: Needs


def _switch(value: object) -> object:
    # YAML 1.1 reads a bare `on` as true; YAML 1.2 as text. Both mean the same here.
    return {"on": True, "off": False}.get(value, value) if isinstance(value, str) else value


class Policy(_Strict):
    """The whole policy; every token names its `version`."""

    version: str
    identity_levels: dict[str, IdentityLevel]
    authenticator_levels: dict[str, AuthenticatorLevel]
    fraud_sources: tuple[Source, ...]
    nist_nonbiometric_route: Annotated[bool, BeforeValidator(_switch)]
    gpg45_profiles: dict[str, Profile]
    gpg45_to_identity: dict[Band, str]
    evidence: dict[str, EvidenceKind]
    upstream_to_identity: dict[str, dict[str, str]]
    authenticators: dict[str, Authenticator]
    acr: tuple[Acr, ...]
    authenticator_order: tuple[str, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        identity, authenticator = set(self.identity_levels), set(self.authenticator_levels)
        named = set(self.gpg45_to_identity.values())
        named |= {p for levels in self.upstream_to_identity.values() for p in levels.values()}
        named |= {a.needs.identity for a in self.acr}
        _known(named, identity, "identity level")
        named = {a.level for a in self.authenticators.values()}
        named |= {a.needs.authenticator for a in self.acr} | set(self.authenticator_order)
        _known(named, authenticator, "authenticator level")
        if set(self.authenticator_order) != authenticator:
            raise ValueError("authenticator_order must list every authenticator level once")
        for kind in self.evidence.values():
            if kind.upstream is not None:
                _known({kind.upstream}, set(self.upstream_to_identity), "upstream")
                levels = self.upstream_to_identity[kind.upstream]
                _known({str(kind.level)}, set(levels), f"level of {kind.upstream}")
        return self

    def __copy__(self) -> Self:
        """The same without what was worked out: a copy may be given other values."""
        copied = super().__copy__()
        for worked_out in ("grades", "ranks", "named"):
            copied.__dict__.pop(worked_out, None)
        return copied

    @cached_property
    def grades(self) -> Mapping[str, tuple[str, str]]:
        """Kind of evidence → the level that it grants and the rule that says so."""
        return {name: _grade_kind(kind, self) for name, kind in self.evidence.items()}

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """Identity level → its place, the lowest first."""
        return {level: place for place, level in enumerate(self.identity_levels)}

    @cached_property
    def named(self) -> Mapping[tuple[str, str], str]:
        """Identity level and authenticator level → the strongest `acr` name that they meet."""
        pairs = product(self.identity_levels, self.authenticator_levels)
        met = {
            (who, how): [a.name for a in self.acr if meets(who, how, a, self)] for who, how in pairs
        }
        return {pair: names[0] for pair, names in met.items() if names}


def _known(named: set[str], known: set[str], what: str) -> None:
    if strangers := named - known:
        raise ValueError(f"unknown {what}: {', '.join(sorted(strangers))}")


@dataclass(frozen=True, slots=True)
class Assessment:
    """A level and the rule that granted it: the answer to "why this level?"."""

    level: str
    because: str | None = None
    evidence: Evidence | None = None


def read_policy(path: Path) -> Policy:
    """The policy in a YAML file. Raises ValueError, which names what is wrong in it."""
    return Policy.model_validate(yaml.load(path.read_text("utf-8"), yaml.CSafeLoader))


def assess(evidence: Iterable[Evidence], policy: Policy, now: datetime) -> Assessment:
    """The best level any single piece grants, and the first such piece; never lower for more.

    Evidence past its time to live, of an expired document or of an unknown kind grants nothing.
    Evidence that reaches the lowest level only is named all the same: the record leads to it.
    """
    floor = Assessment(next(iter(policy.identity_levels)))
    granted = (_grade(e, policy) for e in evidence if in_force(e, policy, now))
    return max((*granted, floor), key=lambda a: _rank(policy, a.level))


def in_force(evidence: Evidence, policy: Policy, now: datetime) -> bool:
    """Whether the evidence may still be relied on."""
    kind = policy.evidence.get(evidence.kind)
    if kind is None:
        return False
    fresh = now < evidence.at + timedelta(days=kind.ttl_days)
    return fresh and (evidence.expires is None or _today(now) <= evidence.expires)


def acr_of(identity: str, authenticator: str, policy: Policy) -> str:
    """The strongest `acr` name that this pair of levels meets.

    Raises ValueError where not even the weakest is met.
    """
    name = policy.named.get((identity, authenticator))
    if name is None:
        raise ValueError("the policy grants no acr to this pair")
    return name


def meets(identity: str, authenticator: str, acr: Acr, policy: Policy) -> bool:
    """Whether both halves of the pair reach what `acr` needs: pairs are compared, not positions."""
    order = policy.authenticator_order
    who = reaches(identity, acr.needs.identity, policy)
    how = order.index(authenticator) >= order.index(acr.needs.authenticator)
    return who and how


def reaches(level: str, needed: str, policy: Policy) -> bool:
    """Whether one identity level is as good as another, or better."""
    return _rank(policy, level) >= _rank(policy, needed)


def reachable(kinds: Iterable[str], policy: Policy) -> str:
    """The best identity level that evidence of these kinds could ever grant."""
    levels = [policy.grades[k][0] for k in kinds if k in policy.grades]
    return max((next(iter(policy.identity_levels)), *levels), key=lambda p: _rank(policy, p))


def _grade(evidence: Evidence, policy: Policy) -> Assessment:
    level, rule = policy.grades[evidence.kind]
    return Assessment(level, f"{evidence.kind}: {rule}", evidence)


def _grade_kind(kind: EvidenceKind, policy: Policy) -> tuple[str, str]:
    if kind.upstream is not None:
        level = policy.upstream_to_identity[kind.upstream][str(kind.level)]
        return level, f"upstream {kind.upstream} {kind.level}"
    candidates = [(next(iter(policy.identity_levels)), "no profile met")]
    candidates += [
        (_capped(policy.gpg45_to_identity[p.band], p.band, kind), f"gpg45 {name}")
        for name, p in policy.gpg45_profiles.items()
        if _profile_met(p, kind, policy)
    ]
    route = kind.chip_present and kind.attended and kind.signed_superior
    if policy.nist_nonbiometric_route and route and kind.verification >= 2:  # noqa: PLR2004
        candidates.append(("P2", "nist-nonbiometric-shape"))
    return max(candidates, key=lambda c: _rank(policy, c[0]))


def _capped(level: str, band: Band, kind: EvidenceKind) -> str:
    # High confidence before an official, in person, is the one shape of ours that is P3.
    return "P3" if band == "high" and kind.in_person_official else level


def _profile_met(profile: Profile, kind: EvidenceKind, policy: Policy) -> bool:
    fraud = max((source.score for source in policy.fraud_sources), default=0)
    scores = (*kind.ev, kind.activity, fraud, kind.verification)
    needed = (*profile.ev, profile.activity, profile.fraud, profile.verification)
    return all(have >= need for have, need in zip(scores, needed, strict=True))


def _rank(policy: Policy, level: str) -> int:
    return policy.ranks[level]


def _today(now: datetime) -> date:
    # A document that ends today in the west of the world is still valid there.
    return (now - timedelta(hours=12)).date()


def published(policy: Policy, issuer: str) -> dict[str, Any]:
    """The policy as anyone may read it, with the `acr` values written out as URIs."""
    document = policy.model_dump(mode="json", exclude_defaults=True)
    document["acr"] = [
        {"uri": acr_uri(a.name, issuer), "needs": a.needs.model_dump()} for a in policy.acr
    ]
    return document


def acr_uri(name: str, issuer: str) -> str:
    """The `acr` value as tokens carry it."""
    return f"{issuer}/acr/{name}"
