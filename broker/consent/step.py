"""When a person must still agree, on the way to a code."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from broker.consent import store
from broker.errors import OAuthCode
from broker.feature import Asked


@dataclass(frozen=True)
class ConsentStep:
    """Owed until all that is asked has been agreed to; with prompt=consent, agreed to anew."""

    name: str = "consent"
    page: str = "/consent/"
    refusal: OAuthCode = OAuthCode.CONSENT_REQUIRED

    def owed(self, tx: Session, asked: Asked, now: datetime) -> bool:  # noqa: ARG002  a Step is told the time
        """Whether the person must still be asked."""
        given = store.held(tx, asked.person(), asked.client_id)
        if given is None or not store.covers(given, asked):
            return True
        return "consent" in asked.prompt and given.at < asked.began
