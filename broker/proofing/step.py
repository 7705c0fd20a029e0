"""When a person must still prove who they are, on the way to a code."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from broker.errors import OAuthCode
from broker.feature import Asked
from broker.proofing import store
from broker.proofing.doors import Outlook, outlook, speaks_of_person
from broker.web.tools import tools


@dataclass(frozen=True)
class ProofingStep:
    """Owed while nothing in force answers the scope, or the asked level is not held.

    Never twice in one interaction: who has filed something since it began, or has chosen to go
    on without, is not asked again.
    """

    name: str = "proofing"
    page: str = "/prove/"
    refusal: OAuthCode = OAuthCode.INTERACTION_REQUIRED

    def owed(self, tx: Session, asked: Asked, now: datetime) -> bool:
        """Whether the person must still see the doors."""
        if not asked.acr_values and not speaks_of_person(asked):
            return False  # as the outlook would say, which takes more to find out
        silent = "none" in asked.prompt
        if not look(tx, asked, now).is_owed(tools().policy, silent=silent):
            return False
        return not store.been_through(tx, asked.person(), asked.interaction, asked.began)


def look(tx: Session, asked: Asked, now: datetime) -> Outlook:
    """What the signed-in person could do here about this request. Raises NotFound: nobody is."""
    house = tools()
    return outlook(
        asked,
        store.outlines(tx, asked.person()),
        house.verifiers,
        policy=house.policy,
        issuer=house.settings.issuer,
        now=now,
    )
