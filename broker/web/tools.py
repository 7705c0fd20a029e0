"""All replaceable things in one frozen value: what a test replaces, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from broker import serving
from broker.clock import Clock
from broker.entropy import RandomBytes
from broker.feature import Feature
from broker.identity.assurance import Policy
from broker.identity.scheme_folder import Schemes
from broker.identity.verifier import Verifier
from broker.keyring import Keyring
from broker.measuring import SILENT, UNTRACED, Meter, Tracer
from broker.outbound import Outbound
from broker.settings import Settings


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that proved itself with an access token, and what the token allows.

    `audit_clients` are the services to whose entries an auditor is limited; None: no limit.
    `account_id` is the person for whom the client speaks, if any, and `authenticator` the level
    at which they signed in for it.
    """

    client_id: str
    scope: frozenset[str]
    audit_clients: frozenset[str] | None = None
    account_id: str | None = None
    authenticator: str | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    """An access token as a request brings it; nothing of it is proved.

    `scheme` is "bearer" or "dpop".
    """

    unverified_token: str = field(repr=False)
    scheme: str = "bearer"
    unverified_proof: str | None = field(default=None, repr=False)


TokenReader = Callable[[Session, Presented, datetime], Caller]
"""(tx, brought, now) → the caller, the sender proved. Raises OAuthError, as RFC 6750 §3.1."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Settings, time, chance, keys, policy, the network; and what the front door hung."""

    settings: Settings
    clock: Clock
    random: RandomBytes
    keys: Callable[[], Keyring]
    policy: Policy
    features: tuple[Feature, ...] = ()
    verifiers: tuple[Verifier, ...] = ()
    read_token: TokenReader | None = None
    outbound: Outbound = field(default_factory=Outbound)
    schemes: Callable[[], Schemes] | None = None
    meter: Meter = SILENT
    tracer: Tracer = UNTRACED

    @property
    def keyring(self) -> Keyring:
        """The keys of this moment; ask again rather than keep it."""
        return self.keys()

    @property
    def foreign(self) -> Schemes:
        """The foreign schemes in force at this moment."""
        return self.schemes() if self.schemes else {}


def settled(kind: str) -> set[str]:
    """Names of this kind that this process has seen committed, and that no one ever takes back.

    What is in it need not be asked of the database again.
    """
    known: set[str] = serving.extensions().setdefault(f"settled_{kind}", set())
    return known


def tools() -> Tools:
    """The tools of the application that serves this request."""
    held: Tools = serving.extensions()["broker"]
    return held
