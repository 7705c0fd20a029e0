"""Review cases: opened about an entry, handed from auditor to auditor, closed; never forgotten."""

import hashlib
from typing import Any, Final, Literal

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit import store
from broker.audit.entry import to_text
from broker.desk import newest
from broker.desk.door import Body, Visit, Whole
from broker.desk.models import Case, Comment
from broker.desk.sight import Sight, covers, within
from broker.entropy import RandomBytes
from broker.errors import Conflict, NotFound, PreconditionFailed

State = Literal["open", "assigned", "flagged", "closed"]

NEXT: Final[dict[str, frozenset[str]]] = {
    "open": frozenset({"assigned", "flagged", "closed"}),
    "assigned": frozenset({"open", "assigned", "flagged", "closed"}),
    "flagged": frozenset({"assigned", "closed"}),
    "closed": frozenset({"open"}),
}
"""State → those that may follow."""

WORDS: Final[dict[str, str]] = {
    "open": "open",
    "assigned": "in hand",
    "flagged": "flagged",
    "closed": "closed",
}
"""State → in a word; English msgids."""


class Opening(Body):
    """What opens a case; neither text may name the person."""

    entry: Whole = Field(ge=0, le=2**53 - 1)
    title: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")


class Change(Body):
    """The state that a case is to have, and who is to look into it."""

    state: State
    assignee: str | None = Field(default=None, max_length=100, pattern=r"^(auditor|client):[!-~]+$")


class Addition(Body):
    """One comment."""

    text: str = Field(min_length=1, max_length=4000, pattern=r"^[^\x00]+$")


def open_case(here: Visit, opening: Opening, draw: RandomBytes) -> Case:
    """A new case about an entry in sight. Raises NotFound."""
    found = store.entry(here.tx, opening.entry, *within(here.sight))
    case = Case(
        id=entropy.token(draw, bits=128),
        entry=opening.entry,
        client=found["entry"]["facts"].get("client"),
        title=opening.title,
        state="open",
        assignee=None,
        opened_by=here.reader.name,
        opened=here.now,
        version=1,
    )
    here.tx.add(case)
    here.tx.flush()
    here.record("case.opened", {"case": case.id, "index": case.entry})
    return case


def find(tx: Session, case_id: str, sight: Sight) -> Case:
    """The case. Raises NotFound for one out of sight too."""
    case = tx.get(Case, case_id) if case_id.isprintable() else None
    if case is None or not covers(sight, case.client):
        raise NotFound("not_found")
    return case


def change(here: Visit, case: Case, wanted: Change) -> None:
    """Give the case another state. Raises Conflict where that one may not follow."""
    if wanted.state not in NEXT[case.state]:
        raise Conflict("case_state", f"{wanted.state} does not follow {case.state}")
    if (wanted.state == "assigned") != (wanted.assignee is not None):
        raise Conflict("case_state", "an assigned case has an assignee, and no other one has")
    before, case.state, case.assignee = case.state, wanted.state, wanted.assignee
    case.version += 1
    facts = {"case": case.id, "from": before, "to": case.state, "assignee": case.assignee}
    here.record("case.changed", facts)


def still(case: Case, version: str) -> None:
    """Nothing, where the case is still as a page showed it. Raises PreconditionFailed."""
    if version != str(case.version):
        raise PreconditionFailed("precondition_failed", "it was changed meanwhile")


def comment(here: Visit, case: Case, addition: Addition) -> Comment:
    """The comment, the last of the case; its hash is on record."""
    numbers = select(func.max(Comment.number)).where(Comment.case_id == case.id)
    number = (here.tx.scalar(numbers) or 0) + 1
    added = Comment(
        case_id=case.id, number=number, author=here.reader.name, text=addition.text, at=here.now
    )
    here.tx.add(added)
    digest = hashlib.sha256(addition.text.encode()).hexdigest()
    here.record("case.commented", {"case": case.id, "number": number, "digest": digest})
    return added


def comments(tx: Session, case: Case) -> list[Comment]:
    """Every comment of the case, the oldest first."""
    those = select(Comment).where(Comment.case_id == case.id).order_by(Comment.number)
    return list(tx.scalars(those))


def about(tx: Session, index: int, sight: Sight) -> list[Case]:
    """The cases about one entry, the newest first."""
    those = select(Case).where(Case.entry == index).order_by(Case.opened.desc(), Case.id)
    return [case for case in tx.scalars(those) if covers(sight, case.client)]


def listed(
    tx: Session, state: str | None, sight: Sight, after: str | None
) -> tuple[list[Case], str | None]:
    """A page of the cases in sight, the newest first, and where the next one begins.

    `after` is the case that the page before ended with. Raises NotFound.
    """
    last = None if after is None else find(tx, after, sight)
    those = select(Case)
    if state is not None:
        those = those.where(Case.state == state)
    if sight is not None:
        those = those.where(Case.client.in_(sight))
    return newest.page(tx, those, Case.opened, last)


def shown(case: Case) -> dict[str, Any]:
    """The case as JSON shows it."""
    return {
        "id": case.id,
        "entry": case.entry,
        "title": case.title,
        "state": case.state,
        "assignee": case.assignee,
        "opened_by": case.opened_by,
        "opened": to_text(case.opened),
        "version": case.version,
    }


def shown_comment(added: Comment) -> dict[str, Any]:
    """The comment as JSON shows it."""
    return {
        "number": added.number,
        "author": added.author,
        "text": added.text,
        "at": to_text(added.at),
    }
