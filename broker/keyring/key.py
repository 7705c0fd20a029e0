"""A signing key, its four states, and the keyring: values only."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ed25519

from broker.keyring.algorithm import ALGORITHMS, PrivateKey, PublicKey
from broker.keyring.module import ModuleKey


class KeysMissing(Exception):
    """A key file that the broker cannot work without is not there, or not what it says."""


class State(StrEnum):
    """Where a signing key stands in its life."""

    ANNOUNCED = "announced"
    """Published, so that caches know it before its moment comes."""
    SIGNING = "signing"
    VERIFYING = "verify-only"
    """Another took over; what this one signed is still in use."""
    RETIRED = "retired"
    """No longer published; its file may be removed."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, or the name of one in a security module, and since when it signs."""

    alg: str
    since: datetime
    key: PrivateKey | ModuleKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The octets of a JWS signature over `message`. Raises ModuleFailed (keyring.module)."""
        if isinstance(self.key, ModuleKey):
            return self.key.sign(message)
        return ALGORITHMS[self.alg].sign(self.key, message)

    def public_key(self) -> PublicKey:
        """The half that everybody may know."""
        return self.key.public_key()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key of this broker that is not retired. Parsed once: an RSA key costs 32 ms."""

    signing: tuple[SigningKey, ...] = field(repr=False)
    checkpoint: ed25519.Ed25519PrivateKey = field(repr=False)
    wrapping: bytes = field(repr=False)
    pairwise: bytes = field(repr=False)
    browser: bytes = field(repr=False)

    def active(self, alg: str, now: datetime) -> SigningKey:
        """The key that signs with `alg` now: the newest that has begun. Raises KeysMissing."""
        begun = [k for k in self.signing if k.alg == alg and k.since <= now]
        if not begun:
            raise KeysMissing(f"no {alg} key signs yet")
        return max(begun, key=lambda k: k.since)

    def algorithms(self, now: datetime) -> tuple[str, ...]:
        """Every algorithm that a key signs with now, the preferred one first."""
        begun = {k.alg for k in self.signing if k.since <= now}
        return tuple(alg for alg in ALGORITHMS if alg in begun)


def state(
    key: SigningKey, every: Iterable[SigningKey], now: datetime, retire_after: timedelta
) -> State:
    """Where `key` stands among `every` key of the folder."""
    if now < key.since:
        return State.ANNOUNCED
    superseded = superseded_at(key, every)
    if superseded is None or now < superseded:
        return State.SIGNING
    return State.VERIFYING if now < superseded + retire_after else State.RETIRED


def superseded_at(key: SigningKey, every: Iterable[SigningKey]) -> datetime | None:
    """The moment at which another key of its algorithm takes over, None where none is known."""
    later = [k.since for k in every if k.alg == key.alg and k.since > key.since]
    return min(later, default=None)


def published(
    every: tuple[SigningKey, ...], now: datetime, retire_after: timedelta
) -> tuple[SigningKey, ...]:
    """The keys that are not retired."""
    return tuple(k for k in every if state(k, every, now, retire_after) is not State.RETIRED)
