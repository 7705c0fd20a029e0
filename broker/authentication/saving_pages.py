"""A key that the browser makes by itself, right after its person used another one.

Conditional creation (WebAuthn Level 3 §5.1.3): nobody is asked, so the answer is posted by the
account page's script and not by a form, and a refusal disturbs nobody. The browser tells its
person what it saved, we tell them by mail and on the page; the first use proves who holds it.
"""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from broker.accounts.owner import fresh_owner
from broker.authentication import enrolling, limits
from broker.authentication.challenge import Purpose
from broker.authentication.limits import Door
from broker.authentication.models import Authenticator
from broker.db import transaction
from broker.interaction.store import ACCOUNT
from broker.web.errors import answer
from broker.web.tools import tools

pages = Blueprint("saving", __name__)


@pages.post("/keys/saved")
def save() -> ResponseReturnValue:
    """Judge a key that was made unasked: 204 where it joined the account.

    Raises NotAllowed: not_signed_in, recovery_cooling, sign_in_again; TooMany.
    """
    now = tools().clock()
    value, message = request.form.get("challenge", "")[:64], request.form.get("credential", "")
    with transaction() as tx:
        person = fresh_owner(tx, now)
        limits.admit(Door.ENROL, person.account_id, now)
        outcome = enrolling.accept(tx, ACCOUNT, person, value, message, now, Purpose.SAVE)
    if isinstance(outcome, Authenticator):
        return Response(status=204)
    return answer(outcome.code, outcome.status)
