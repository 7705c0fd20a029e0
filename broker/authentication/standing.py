"""What a key's answer is worth today: a key of the policy's `authenticators` table. Pure.

Judged at every sign-in from what is stored of the key and from the newest metadata: a label
written at enrolment would outlive the day on which a model's weakness becomes known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from broker.authentication.attestation import is_attested
from broker.authentication.metadata import Model
from broker.errors import NotAllowed
from broker.feature import SignedIn
from broker.identity.assurance import Policy

ACCESS_CODE: Final = "access_code"
"""What the policy calls the weakest way in: it reaches `contact` and nothing more."""

UNATTESTED: Final = "passkey_synced"
"""What the policy calls a key of which nothing is proved but that it is one."""

ATTESTED: Final = "key_attested"
"""What the policy calls a key whose maker vouches that it cannot leave its hardware."""

BY_KEY: Final = frozenset({UNATTESTED, ATTESTED})
"""Sign-ins by a key that counts in full."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored of a key, and what its owner's last answer said, as far as trust goes.

    `full_from` is the end of the cooling period of a key that was enrolled by a recovery code.
    """

    backup_eligible: bool
    attestation_object: bytes
    created: datetime
    full_from: datetime | None = None


def standing(facts: Facts, model: Model | None, least: str, now: datetime) -> str:
    """The policy's name for a sign-in with this key at this moment.

    `model` is what the metadata knows of its AAGUID; `least` the certification that an attested
    key needs. A weakness lowers even a key whose model is not proved: nobody gains by that lie.
    """
    if facts.full_from is not None and now < facts.full_from:
        return ACCESS_CODE
    if model is not None and model.weakness is not None:
        return ACCESS_CODE
    if model is None or not _is_attested(facts, model, least):
        return UNATTESTED
    return ATTESTED


def demand_a_key(person: SignedIn) -> None:
    """Nothing, if the person came in by a key that counts. Raises NotAllowed recovery_cooling.

    Whoever found a sheet of codes must not take the owner's keys and codes away with it.
    """
    if person.authenticator == ACCESS_CODE:
        raise NotAllowed("recovery_cooling")


def wanted(acr_values: Iterable[str], policy: Policy) -> str | None:
    """The authenticator level of the first `acr` value that the policy knows, or None.

    The values are URIs whose last segment is the policy's name.
    """
    levels = {acr.name: acr.needs.authenticator for acr in policy.acr}
    names = (value.rsplit("/", 1)[-1] for value in acr_values)
    return next((levels[name] for name in names if name in levels), None)


def suffices(authenticator: str, level: str | None, policy: Policy) -> bool:
    """Whether this way of signing in reaches an authenticator level; anything reaches None."""
    order = policy.authenticator_order
    how = policy.authenticators[authenticator].level
    return level is None or order.index(how) >= order.index(level)


def needs_attestation(level: str | None, policy: Policy) -> bool:
    """Whether only a key whose maker vouches for it can reach this authenticator level."""
    return not suffices(UNATTESTED, level, policy)


def _is_attested(facts: Facts, model: Model, least: str) -> bool:
    if facts.backup_eligible or not model.reaches(least):
        return False
    # What was enrolled when the metadata was long out of date, was vouched for by old news.
    if facts.created >= model.fresh_until:
        return False
    return is_attested(facts.attestation_object, model.certificates(), facts.created)
