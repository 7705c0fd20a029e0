"""How long each key has signed that signs now: what tells an operator that it is time."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from broker.feature import Sample
from broker.measuring.catalogue import KEY_AGE
from broker.web.tools import tools


def ages(_tx: Session, now: datetime) -> Iterator[Sample]:
    """One a signature algorithm, in seconds."""
    keys = tools().keyring
    for alg in keys.algorithms(now):
        yield KEY_AGE, (alg,), (now - keys.active(alg, now).since).total_seconds()
