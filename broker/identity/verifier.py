"""The door that every way of proving who you are fits."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from broker.entropy import RandomBytes
from broker.identity.evidence import Evidence
from broker.identity.scheme import Scheme
from broker.keyring import Keyring, Unlock
from broker.outbound import Outbound


@dataclass(frozen=True, slots=True)
class Message:
    """What a person is told about a code: what happened, and what to do now.

    Both are English msgids, translated by the catalogue of the room that owns the code.
    """

    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one account at one verifier: `remembered` is what `open` asked to keep.

    To `open` of a verifier of schemes also what was chosen: the scheme, the country ("" where the
    scheme has one alone) and the least that will do, of `scheme.ORDER` ("" where anything will).
    `close` is not told again: the verifier remembers what it asked for.
    """

    handle: str
    now: datetime
    locale: str
    remembered: Mapping[str, str] = field(default_factory=dict)
    scheme: str = ""
    country: str = ""
    least: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A template of the verifier's own folder and what it is shown with."""

    template: str
    context: Mapping[str, object] = field(default_factory=dict)
    form_target: str = ""
    """Origin of another house that a form of this page goes to; "": none."""


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
    """What came back: the fields of the form or query, and the uploaded files' bytes.

    `repeated` names the fields that came more than once; of those, `fields` has the first.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Document:
    """Something that a verifier publishes."""

    body: bytes
    media_type: str


class Verifier(Protocol):
    """Turns what a person presents into Evidence.

    A verifier keeps no state, reads no database and never sees a request: what it must
    remember between `open` and `close` travels in `Opening.remember`. One whose `by_phone` is
    True (it need not have it) may be answered from a device that nobody is signed in with.
    """

    kind: ClassVar[str]
    """Stable name: URL segment, audit label."""

    @property
    def produces(self) -> frozenset[str]:
        """Evidence kinds it may return: with the policy, tells which levels it can reach."""
        ...

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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a verifier of schemes is built with; keys and schemes are those of the moment.

    `key_files` is the folder of the keys that a scheme's file names, `unlock` what opens them.
    """

    issuer: str
    schemes: Callable[[], Mapping[str, Scheme]]
    keys: Callable[[], Keyring]
    random: RandomBytes
    outbound: Outbound
    key_files: Path
    unlock: Unlock = field(default_factory=Unlock)
    scheme_files: Path = Path("schemes")
    """The folder of the schemes, where metadata lie beside them."""


@dataclass(frozen=True, slots=True)
class SchemeVerifier(Verifier):
    """A verifier that is one door to all schemes of a protocol (`identity.scheme`).

    Whoever chooses one is sent away by `open`, and comes back to /foreign/<kind>/<scheme>.
    """

    around: Surroundings

    protocol: ClassVar[str]
    """What a scheme's file calls its section and its `protocol`."""

    @staticmethod
    @abstractmethod
    def judge(scheme: Scheme) -> None:
        """Raises SchemeRejected where this verifier cannot work with the scheme."""

    @property
    def schemes(self) -> Mapping[str, Scheme]:
        """The schemes of this protocol that are in force, by name."""
        every = self.around.schemes()
        return {name: s for name, s in every.items() if s.protocol == self.protocol}

    @property
    def produces(self) -> frozenset[str]:
        """The evidence that these schemes can make."""
        return frozenset(row.evidence for s in self.schemes.values() for row in s.levels)


@runtime_checkable
class Fetches(Protocol):
    """The further ability of a verifier that must know others' documents ahead of time."""

    def fetch(self, now: datetime) -> Iterator[tuple[str, str]]:
        """Get them anew: the scheme and, in words for the operator, what came of it."""
        ...


@runtime_checkable
class Publishes(Protocol):
    """The further ability of a verifier that others must know: metadata, keys."""

    def publish(self, name: str, now: datetime) -> Document | None:
        """The document at /foreign/<kind>/<name>, None where there is none."""
        ...
