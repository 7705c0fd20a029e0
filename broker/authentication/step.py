"""When a person owes a sign-in on the way to a code (OpenID Connect Core §3.1.2.1)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from broker.errors import OAuthCode
from broker.feature import Asked

_ANEW = frozenset({"login", "select_account"})


@dataclass(frozen=True, slots=True)
class SignInStep:
    """Owed until somebody has signed in, and recently enough for what was asked."""

    name: str = "authentication"
    page: str = "/sign-in/"
    refusal: OAuthCode = OAuthCode.LOGIN_REQUIRED

    def owed(self, tx: Session, asked: Asked, now: datetime) -> bool:  # noqa: ARG002  one shape for all steps
        """Whether a key must be used: nobody is signed in, or too long ago.

        Measured from the moment the request came, not from now: a slow visit asks only once.
        """
        if asked.signed_in is None:
            return True
        since = asked.signed_in.auth_time
        if asked.prompt & _ANEW and since < asked.began:
            return True
        return asked.max_age is not None and since + asked.max_age < asked.began
