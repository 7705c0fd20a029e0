"""What a test needs of the record: its entries in their places, and the index of one of them."""

from collections.abc import Mapping
from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from broker.audit import numbering, sequencer
from broker.audit.log import record
from broker.audit.worker import catch_up


def sequenced(app: Flask) -> None:
    """All that was recorded has its place."""
    with app.app_context():
        catch_up()


def recorded(tx: Session, event: str, facts: Mapping[str, object], now: datetime) -> int:
    """The index of an entry that is recorded and sequenced at once."""
    record(tx, event, facts, now)
    while sequencer.sequence(tx, now) == numbering.BATCH:
        pass
    return numbering.size(tx.connection()) - 1
