"""Which doors are worth opening: what was asked, what is held, and what could be reached. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from broker.feature import Asked
from broker.identity.assurance import Policy, acr_uri, assess, in_force, reachable, reaches
from broker.identity.evidence import Evidence
from broker.identity.verifier import Verifier

SPEAKS_OF_THE_PERSON = frozenset({"profile", "assurance", "document"})
"""Scopes that cannot be answered by someone who has shown nothing."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """`held`, and `wanted` if the client named a level, are identity levels of the policy.

    `owes_reading`: something is asked about the person, and nothing in force says it.
    `doors` are those that would help.
    """

    held: str
    wanted: str | None
    owes_reading: bool
    doors: tuple[Verifier, ...]
    best: str

    def is_enough(self, policy: Policy) -> bool:
        """Whether what the client wants could be reached here, or nothing is wanted."""
        best = self.best if self.doors else self.held
        return self.wanted is None or reaches(best, self.wanted, policy)

    def is_owed(self, policy: Policy, *, silent: bool) -> bool:
        """Whether the person must see this room's page, unless they have been there.

        Where no door leads nearer to the asked level the page only says so: that is owed to a
        person, and not to a client that forbade pages (`silent`, prompt=none), whose refusal it
        would be although nothing could be gained.
        """
        if self.owes_reading:
            return True
        short = self.wanted is not None and not reaches(self.held, self.wanted, policy)
        return short and (bool(self.doors) or not silent)

    def may_go_on(self) -> bool:
        """Whether the person may go on with what there is: it is all there can be, or enough."""
        return not self.owes_reading or not self.doors


def outlook(  # noqa: PLR0913  the rule's whole ground
    asked: Asked,
    evidence: Iterable[Evidence],
    verifiers: Iterable[Verifier],
    *,
    policy: Policy,
    issuer: str,
    now: datetime,
) -> Outlook:
    """What this person could do here about this request."""
    filed = tuple(evidence)
    held = assess(filed, policy, now).level
    has_reading = any(in_force(e, policy, now) for e in filed)
    owes_reading = speaks_of_person(asked) and not has_reading
    on_own_account = not asked.client_id
    doors = tuple(
        verifier
        for verifier in verifiers
        if verifier.produces  # a door to schemes, of which there are none, leads nowhere
        if owes_reading or on_own_account or not reaches(held, _reach(verifier, policy), policy)
    )
    kinds = {kind for verifier in doors for kind in verifier.produces}
    return Outlook(
        held,
        wanted_level(asked.acr_values, policy, issuer),
        owes_reading,
        doors,
        reachable(kinds, policy),
    )


def speaks_of_person(asked: Asked) -> bool:
    """Whether something is asked that only evidence can answer."""
    return bool(SPEAKS_OF_THE_PERSON & asked.scope or asked.claim_names)


def wanted_level(acr_values: Iterable[str], policy: Policy, issuer: str) -> str | None:
    """The least identity level that would meet one of the `acr` values, None if none is known.

    A request names them in order of preference, and any of them will do (Core §3.1.2.1).
    """
    needs = {acr_uri(acr.name, issuer): acr.needs.identity for acr in policy.acr}
    named = {needs[value] for value in acr_values if value in needs}
    return next((level for level in policy.identity_levels if level in named), None)


def _reach(verifier: Verifier, policy: Policy) -> str:
    return reachable(verifier.produces, policy)
