"""What a room offers the house, and what the house tells it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from flask import Blueprint
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from broker.errors import NotFound, OAuthCode
from broker.identity.evidence import Evidence
from broker.measuring import Measure


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person in front of this browser: who, since when, and by what key.

    `authenticator` is a key of the policy's `authenticators` table.
    """

    session_id: str
    account_id: str
    authenticator: str
    auth_time: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What a relying service asked for, as every step may read it.

    `interaction` is the handle of the parked request, None while nothing is parked yet, and
    `account` on the account pages, where nobody but the person asks. `client_name` and
    `purpose` are texts by language. `claims` are single claims asked for, by place as in
    ClaimsAsked; `claim_names` is what an agreement must cover of them. `details` say what exactly
    may be done (RFC 9396). `start_again` is where the service begins a sign-in (Core §4),
    `links` its own words: how it uses data, "policy", and its "terms" (Registration §2).
    """

    client_id: str
    client_name: Mapping[str, str]
    purpose: Mapping[str, str]
    redirect_origin: str
    scope: frozenset[str]
    prompt: frozenset[str]
    acr_values: tuple[str, ...]
    max_age: timedelta | None
    began: datetime
    interaction: str | None = None
    signed_in: SignedIn | None = None
    claims: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    claim_names: frozenset[str] = frozenset()
    details: tuple[Mapping[str, Any], ...] = ()
    start_again: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)

    def person(self) -> str:
        """The account of the signed-in person. Raises NotFound where nobody is signed in."""
        if self.signed_in is None:
            raise NotFound("not_signed_in")
        return self.signed_in.account_id


class Step(Protocol):
    """A page that may still be owed on the way to a code."""

    @property
    def name(self) -> str:
        """Stable name, for the log."""
        ...

    @property
    def page(self) -> str:
        """URL prefix of the page: the interaction's handle is appended to it."""
        ...

    @property
    def refusal(self) -> OAuthCode:
        """What a client hears when prompt=none forbids showing the page (Core §3.1.2.6)."""
        ...

    def owed(self, tx: Session, asked: Asked, now: datetime) -> bool:
        """Whether the person must still see this page."""
        ...


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the account page: a template of the room and what it is shown with."""

    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClaimsAsked:
    """What may be said at one place, ID token or userinfo, about one person to one client.

    `scope` are the scope values whose claims belong at this place. `named` is the member of the
    `claims` parameter for this place (Core §5.5): claim name → None or its requirements.
    """

    scope: frozenset[str]
    named: Mapping[str, Any] = field(default_factory=dict)


ClaimSource = Callable[[Session, str, ClaimsAsked, datetime], Mapping[str, Any]]
"""(tx, account_id, asked, now) → claims about the person, none that was not asked for."""

EvidenceSource = Callable[[Session, str], Sequence[Evidence]]
"""(tx, account_id) → outlines of what this person has shown and confirmed, newest first.

An outline grades like the evidence itself and says nothing: kind, dates and reference.
"""

PanelSource = Callable[[Session, str, datetime], Panel]
"""(tx, account_id, now) → this room's part of the account page."""

Eraser = Callable[[Session, str], None]
"""(tx, account_id) → nothing; this room's rows about the account are gone."""


SignedOut = Callable[[Session, str, str | None], Sequence[Mapping[str, str]]]
"""(tx, account_id, session_id) → names, by language, of the services that will be told.

`session_id` is None where every session of the account has ended.
"""

Listener = Callable[[Session, str, str, datetime], None]
"""(tx, account_id, event, now) → nothing; told of every entry about an account, as it is made."""

Worker = Callable[[], bool]
"""() → whether something was due; then one thing of it was done, in transactions of its own."""

Pause = Callable[[float], bool]
"""(seconds) → whether it was enough; waits so long, if it was not."""

Steady = Callable[[Pause], None]
"""(pause) → nothing; goes on until the pause says so, in a thread of its own."""

Sample = tuple[Measure, tuple[str, ...], float]
"""A measure, the values of its labels in its order, and its value."""

Gauges = Callable[[Session, datetime], Iterable[Sample]]
"""(tx, now) → what an operator measures of this room and nobody keeps: looked up when asked."""

Readiness = Callable[[Session, datetime], bool]
"""(tx, now) → whether this room can do its work; cheap, and nothing is written."""

Revoker = Callable[[Session, str, str], None]
"""(tx, account_id, client_id) → nothing; what this room let the client have is void."""

MetadataSource = Callable[[], Mapping[str, Any]]
"""() → what this room adds to the provider's metadata (OpenID Connect Discovery 1.0 §3)."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One room, as the front door hangs it in the house.

    `produces` are the kinds of evidence that the room may file without any verifier. `steady`
    does what `work` does where other rooms' work must not delay it.
    """

    name: str
    pages: Blueprint | None = None
    step: Step | None = None
    claims: ClaimSource | None = None
    evidence: EvidenceSource | None = None
    panel: PanelSource | None = None
    erase: Eraser | None = None
    revoke: Revoker | None = None
    signed_out: SignedOut | None = None
    recorded: Listener | None = None
    work: Worker | None = None
    steady: Steady | None = None
    commands: AppGroup | None = None
    metadata: MetadataSource | None = None
    gauges: Gauges | None = None
    ready: Readiness | None = None
    produces: frozenset[str] = frozenset()


def claims_of(
    features: Iterable[Feature], tx: Session, account_id: str, asked: ClaimsAsked, now: datetime
) -> dict[str, Any]:
    """All that every room may say about a person within what was asked."""
    said: dict[str, Any] = {}
    for feature in features:
        if feature.claims is not None:
            said.update(feature.claims(tx, account_id, asked, now))
    return said


def metadata_of(features: Iterable[Feature]) -> dict[str, Any]:
    """What all rooms add to the provider's metadata."""
    told: dict[str, Any] = {}
    for feature in features:
        if feature.metadata is not None:
            told.update(feature.metadata())
    return told


def evidence_of(features: Iterable[Feature], tx: Session, account_id: str) -> tuple[Evidence, ...]:
    """Outlines of all evidence that every room has filed for a person."""
    return tuple(
        evidence
        for feature in features
        if feature.evidence is not None
        for evidence in feature.evidence(tx, account_id)
    )
