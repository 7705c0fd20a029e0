"""The door that every way of proving who you are fits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from broker.identity.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Message:
    """What a person is told about a code: what happened, and what to do now.

    Both are English msgids, translated by the catalogue of the room that owns the code.
    """

    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one account at one verifier: `remembered` is what `open` asked to keep."""

    handle: str
    now: datetime
    locale: str
    remembered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A template of the verifier's own folder and what it is shown with."""

    template: str
    context: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the browser must go, outside this house."""

    url: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What to show, and what to remember until the reply comes."""

    show: Page | Redirect
    remember: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the fields of the form or query, and the uploaded files' bytes."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


class Verifier(Protocol):
    """Turns what a person presents into Evidence.

    A verifier keeps no state, reads no database and never sees a request: what it must
    remember between `open` and `close` travels in `Opening.remember`. One whose `by_phone` is
    True (it need not have it) may be answered from a device that nobody is signed in with.
    """

    kind: ClassVar[str]
    """Stable name: URL segment, audit label."""

    produces: ClassVar[frozenset[str]]
    """Evidence kinds it may return: with the policy, tells which levels it can reach."""

    establishes: ClassVar[frozenset[str]]
    """Every property its checks may prove."""

    handle_param: ClassVar[str]
    """The reply field that carries Attempt.handle back ("attempt", "state", "RelayState"…)."""

    size_limit: ClassVar[int]
    """Bytes a reply may have, all files and fields together."""

    title: ClassVar[str]
    """What this door is called on the page that lists the doors; an English msgid."""

    summary: ClassVar[str]
    """One sentence on what the person needs for it; an English msgid."""

    refusals: ClassVar[Mapping[str, Message]]
    """Every code that `close` may raise EvidenceRejected with."""

    def open(self, attempt: Attempt) -> Opening:
        """Begin: what the person must see or where the browser must go."""
        ...

    def close(self, attempt: Attempt, reply: Reply) -> Evidence:
        """Finish. Raises EvidenceRejected when a mandatory check fails."""
        ...
