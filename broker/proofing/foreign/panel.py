"""The part of the account page that shows which foreign identities are linked."""

from datetime import datetime

from sqlalchemy.orm import Session

from broker.feature import Panel
from broker.proofing.foreign import store
from broker.proofing.foreign.choosing import text
from broker.web.tools import tools


def panel(tx: Session, account_id: str, now: datetime) -> Panel:  # noqa: ARG001  as PanelSource
    """Every linked identity, by the name of its scheme."""
    schemes = tools().foreign
    identities = [
        {
            "id": row.id,
            "name": text(schemes[row.scheme].name) if row.scheme in schemes else row.scheme,
            "at": row.at.date(),
        }
        for row in store.linked(tx, account_id)
    ]
    return Panel("foreign/panel.html", {"identities": identities})
