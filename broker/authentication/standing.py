"""What a key's answer is worth today: a key of the policy's `authenticators` table. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from broker.errors import NotAllowed
from broker.feature import SignedIn

ACCESS_CODE: Final = "access_code"
"""What the policy calls the weakest way in: it reaches `contact` and nothing more."""

UNATTESTED: Final = "passkey_synced"
"""What the policy calls a key of which nothing is proved but that it is one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored of a key, and what its owner's last answer said, as far as trust goes.

    `full_from` is the end of the cooling period of a key that was enrolled by a recovery code.
    """

    full_from: datetime | None


def standing(facts: Facts, now: datetime) -> str:
    """The policy's name for a sign-in with this key at this moment."""
    if facts.full_from is not None and now < facts.full_from:
        return ACCESS_CODE
    return UNATTESTED


def demand_a_key(person: SignedIn) -> None:
    """Nothing, if the person came in by a key that counts. Raises NotAllowed recovery_cooling.

    Whoever found a sheet of codes must not take the owner's keys and codes away with it.
    """
    if person.authenticator == ACCESS_CODE:
        raise NotAllowed("recovery_cooling")
