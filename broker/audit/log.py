"""Append to the record, in the transaction of the fact."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session


def record(tx: Session, event: str, facts: Mapping[str, object], now: datetime) -> None:
    """Append one entry (placeholder until the audit room lands)."""
