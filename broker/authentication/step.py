"""When a person owes a sign-in on the way to a code (OpenID Connect Core §3.1.2.1)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from broker.authentication import signing_in
from broker.authentication.standing import suffices, wanted
from broker.errors import OAuthCode
from broker.feature import Asked
from broker.web.tools import tools

_ANEW = frozenset({"login", "select_account"})


@dataclass(frozen=True, slots=True)
class SignInStep:
    """Owed until somebody has signed in, and recently enough for what was asked."""

    name: str = "authentication"
    page: str = "/sign-in/"
    refusal: OAuthCode = OAuthCode.LOGIN_REQUIRED

    def owed(self, tx: Session, asked: Asked, now: datetime) -> bool:
        """Whether a key must be used: nobody is signed in, too long ago, or by too weak a key.

        Measured from the moment the request came, not from now: a slow visit asks only once.
        """
        if asked.signed_in is None:
            return True
        since = asked.signed_in.auth_time
        if asked.prompt & _ANEW and since < asked.began:
            return True
        if asked.max_age is not None and since + asked.max_age < asked.began:
            return True
        return steps_up(tx, asked, now)


def steps_up(tx: Session, asked: Asked, now: datetime) -> bool:
    """Whether a better key than was used is asked for, and the person has one.

    Asked once in a visit, and not where no page may be shown: an `acr` is a wish, and whether
    less will do is decided with the code.
    """
    person = asked.signed_in
    if person is None or not asked.acr_values or "none" in asked.prompt:
        return False
    policy = tools().policy
    level = wanted(asked.acr_values, policy)
    if suffices(person.authenticator, level, policy) or person.auth_time >= asked.began:
        return False
    return bool(signing_in.able(tx, person.account_id, level, now))
