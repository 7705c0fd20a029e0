"""The part of the account page that lists the services used."""

from datetime import datetime

from sqlalchemy.orm import Session

from broker.consent import store
from broker.feature import Panel


def panel(tx: Session, account_id: str, now: datetime) -> Panel:  # noqa: ARG001  one shape for all panels
    """Every service that the person agreed to share with, and since when."""
    services = [
        {"client": row.client_id, "name": row.client_name, "day": row.at.date()}
        for row in store.given(tx, account_id)
    ]
    return Panel("consent/panel.html", {"services": services})
