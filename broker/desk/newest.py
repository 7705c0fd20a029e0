"""Lists with the newest first, a page at a time: the next one begins after the last thing shown."""

from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from broker.desk.models import Case, Unmasking

MOST: Final = 200
"""Things on a page."""

_Row = TypeVar("_Row", Case, Unmasking)


def page(
    tx: Session, those: Select[_Row], moment: InstrumentedAttribute[datetime], last: _Row | None
) -> tuple[list[_Row], str | None]:
    """A page of `those`, and the name of its last row where there are more.

    `moment` is the column that says how new a row is, `last` the row that the page before ended
    with, None for the first page. Rows of one moment go by their names.
    """
    name = moment.class_.id
    if last is not None:
        at = getattr(last, moment.key)
        those = those.where(or_(moment < at, and_(moment == at, name > last.id)))
    found = list(tx.scalars(those.order_by(moment.desc(), name).limit(MOST + 1)))
    return found[:MOST], found[MOST - 1].id if len(found) > MOST else None
