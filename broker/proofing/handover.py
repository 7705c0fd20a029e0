"""Handing an attempt over to a telephone: an address that is good for one picture, and for it only.

The telephone is given no session and is shown nothing of the person; what it sends is read for
the attempt, and the person looks at it in the browser that they are signed in with.
"""

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from broker import entropy
from broker.errors import NotFound
from broker.feature import Asked
from broker.proofing.attempts import Place
from broker.proofing.models import Handover, OpenAttempt
from broker.web import cookies
from broker.web.tools import tools

OVER = "handover_over"


def offer(tx: Session, row: OpenAttempt, asked: Asked, now: datetime) -> None:
    """Make an address for this attempt; the ones made for it before are void."""
    stale = (Handover.attempt == row.handle) | (Handover.expires <= now)
    tx.execute(delete(Handover).where(stale))
    name = entropy.token(tools().random)
    handover = Handover(
        id=name,
        address=cookies.digest(_token(name)),
        attempt=row.handle,
        account_id=row.account_id,
        client_name=dict(asked.client_name),
        expires=now + tools().settings.proofing.handover_lifetime,
    )
    tx.add(handover)


def token_of(tx: Session, row: OpenAttempt, now: datetime) -> str:
    """What the address for this attempt ends on. Raises NotFound where there is none, or no more.

    It is made again from the row and our key for every page: neither alone is worth anything.
    """
    found = tx.scalar(select(Handover).where(Handover.attempt == row.handle))
    if found is None or now >= found.expires:
        raise NotFound(OVER)
    return _token(found.id)


def find(
    tx: Session, token: str, now: datetime, *, alone: bool = False
) -> tuple[Handover, OpenAttempt]:
    """The hand-over and its attempt. Raises NotFound: unknown, over, used; all look the same."""
    mine = select(Handover).where(Handover.address == cookies.digest(token))
    handover = tx.scalar(mine.with_for_update() if alone else mine)
    if handover is None or handover.done or now >= handover.expires:
        raise NotFound(OVER)
    row = tx.get(OpenAttempt, handover.attempt, with_for_update=alone)
    if row is None or row.reading is not None or now >= row.expires:
        raise NotFound(OVER)
    return handover, row


def place(row: OpenAttempt) -> Place:
    """Where the attempt belongs."""
    return Place(row.account_id, row.session_id, row.interaction, row.kind)


def _token(name: str) -> str:
    key = tools().keyring.browser
    return hmac.new(key, b"handover:" + name.encode(), hashlib.sha256).hexdigest()
