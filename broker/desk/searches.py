"""Searches that an auditor keeps under a name."""

from typing import Any

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit.entry import to_text
from broker.desk.assertion_query import parse_assertions
from broker.desk.auditor import Reader
from broker.desk.door import Body, Visit
from broker.desk.models import Search
from broker.entropy import RandomBytes
from broker.errors import Conflict, Malformed, NotFound

MOST = 100
"""Searches of one auditor."""

NAMELESS = frozenset({"subject", "cursor", "limit"})
"""Parts of a question that are not kept: a person, and a page."""


class Kept(Body):
    """A question about assertions, and what to call it."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    query: dict[str, str] = Field(max_length=20)


def check(query: dict[str, str]) -> dict[str, str | int]:
    """The question as it is kept. Raises Malformed."""
    if unkept := NAMELESS & query.keys():
        raise Malformed("malformed", f"query: {min(unkept)} is not kept")
    return parse_assertions(query.items()).facts()


def keep(here: Visit, wanted: Kept, draw: RandomBytes) -> Search:
    """The kept search. Raises Malformed, and Conflict where an auditor has 100 of them."""
    asked = check(wanted.query)
    mine = select(func.count()).select_from(Search).where(Search.owner == here.reader.name)
    if (here.tx.scalar(mine) or 0) >= MOST:
        raise Conflict("too_many_kept", f"at most {MOST}")
    row = Search(
        id=entropy.token(draw, bits=128),
        owner=here.reader.name,
        name=wanted.name,
        query=asked,
        created=here.now,
    )
    here.tx.add(row)
    here.record("search.kept", {"search": row.id, "filter": asked})
    return row


def find(tx: Session, name: str, reader: Reader) -> Search:
    """The auditor's own search. Raises NotFound for another's too."""
    row = tx.get(Search, name) if name.isprintable() else None
    if row is None or row.owner != reader.name:
        raise NotFound("not_found")
    return row


def drop(here: Visit, row: Search) -> None:
    """Forget the search."""
    here.tx.delete(row)
    here.record("search.dropped", {"search": row.id})


def listed(tx: Session, reader: Reader) -> list[Search]:
    """The auditor's own searches, by name."""
    mine = select(Search).where(Search.owner == reader.name)
    return list(tx.scalars(mine.order_by(Search.name, Search.id)))


def shown(row: Search) -> dict[str, Any]:
    """The search as JSON shows it."""
    return {"id": row.id, "name": row.name, "query": row.query, "created": to_text(row.created)}
