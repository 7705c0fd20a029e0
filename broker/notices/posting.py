"""What happened becomes a letter, in the transaction in which it happened."""

from datetime import datetime

from sqlalchemy.orm import Session

from broker import entropy
from broker.accounts import vault
from broker.notices import store
from broker.notices.letter import LETTERS
from broker.notices.models import Notice
from broker.web.tools import tools

ADDRESS = "notice-address"
LETTER = "notice-letter"
"""Purposes of what is sealed."""


def listen(tx: Session, account_id: str, event: str, now: datetime) -> None:
    """Put a letter about this event in the outbox, if it is worth one and there is an address."""
    if event not in LETTERS:
        return
    row = store.address_of(tx, account_id)
    if row is not None and row.address is not None:
        post(tx, account_id, event, row.language, row.address, now)


def post(  # noqa: PLR0913  what a letter needs
    tx: Session,
    account_id: str,
    kind: str,
    language: str,
    sealed_address: bytes,
    now: datetime,
    code: str = "",
) -> None:
    """Put a letter in the outbox, due at once."""
    house = tools()
    wrapping, draw = house.keyring.wrapping, house.random
    to = vault.unseal(tx, account_id, ADDRESS, sealed_address, wrapping)
    content = {"to": to, "language": language, "code": code}
    letter = Notice(
        id=entropy.token(draw),
        account_id=account_id,
        kind=kind,
        letter=vault.seal(tx, account_id, LETTER, content, wrapping, draw),
        created=now,
        due=now,
        tries=0,
    )
    tx.add(letter)
