"""All replaceable things in one frozen value: what a test replaces, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from broker.clock import Clock
from broker.entropy import RandomBytes
from broker.feature import Feature
from broker.identity.assurance import Policy
from broker.identity.verifier import Verifier
from broker.keyring import Keyring
from broker.settings import Settings


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that proved itself with an access token, and what the token allows."""

    client_id: str
    scope: frozenset[str]


TokenReader = Callable[[Session, str, datetime], Caller]
"""(tx, unverified_token, now) → the caller. Raises OAuthError invalid_token."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Settings, time, chance, keys, policy; and the rooms and doors the front door hung."""

    settings: Settings
    clock: Clock
    random: RandomBytes
    keyring: Keyring
    policy: Policy
    features: tuple[Feature, ...] = ()
    verifiers: tuple[Verifier, ...] = ()
    read_token: TokenReader | None = None


def tools() -> Tools:
    """The tools of the application that serves this request."""
    held: Tools = current_app.extensions["broker"]
    return held
