"""Which page is owed next: protocol order as a table, the tuple of features."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from broker.feature import Asked, Feature, Step


def next_step(features: Iterable[Feature], tx: Session, asked: Asked, now: datetime) -> Step | None:
    """The first step still owed, or None when the code may be issued."""
    for feature in features:
        if feature.step is not None and feature.step.owed(tx, asked, now):
            return feature.step
    return None
