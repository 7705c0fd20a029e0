"""Long lists: a page at a time, the newest first, everything once."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from broker.db import transaction
from broker.desk.models import Case, Unmasking
from broker.desk.newest import MOST
from tests.conftest import NOON
from tests.desk.conftest import Desk, body
from tests.desk.test_pages import seat

COUNT = 2 * MOST + 10


def add_cases(tx: Session, client: str = "client-0") -> list[str]:
    """Their names, the newest first; three of a kind were opened at one moment."""
    made = [
        Case(
            id=f"{client:-<12}{n:010}",
            entry=0,
            client=client,
            title=f"Case {n}",
            state="flagged" if n % 2 else "open",
            assignee=None,
            opened_by="auditor:amina",
            opened=NOON - timedelta(seconds=n // 3),
            version=1,
        )
        for n in range(COUNT)
    ]
    tx.add_all(made)
    return [case.id for case in made]


def add_requests(tx: Session) -> list[str]:
    made = [
        Unmasking(
            id=f"unmasking---{n:010}",
            entry=0,
            client="client-0",
            reason="A complaint was made.",
            minutes=30,
            requested_by="auditor:amina",
            requested=NOON - timedelta(seconds=n // 3),
        )
        for n in range(COUNT)
    ]
    tx.add_all(made)
    return [row.id for row in made]


def pages(desk: Desk, place: str, kind: str, by: str) -> Iterator[list[str]]:
    page = body(desk.get(place, by))
    yield [each["id"] for each in page[kind]]
    while page["next"] is not None:
        page = body(desk.get(f"{place}{'&' if '?' in place else '?'}after={page['next']}", by))
        yield [each["id"] for each in page[kind]]


@pytest.mark.parametrize(
    ("place", "kept"), [("/cases", (0, 1)), ("/cases?state=flagged", (1,))], ids=["all", "flagged"]
)
def test_every_case_is_on_one_page(
    app: Flask, desk: Desk, place: str, kept: tuple[int, ...]
) -> None:
    with app.app_context(), transaction() as tx:
        names = add_cases(tx)
    found = list(pages(desk, place, "cases", "good"))
    assert list(chain.from_iterable(found)) == [
        name for n, name in enumerate(names) if n % 2 in kept
    ]
    assert all(0 < len(page) <= MOST for page in found)


def test_every_request_to_unmask_is_on_one_page(app: Flask, desk: Desk) -> None:
    with app.app_context(), transaction() as tx:
        names = add_requests(tx)
    found = pages(desk, "/unmaskings", "unmaskings", "program")
    assert list(chain.from_iterable(found)) == names


def test_a_page_does_not_begin_after_a_case_out_of_sight(app: Flask, desk: Desk) -> None:
    with app.app_context(), transaction() as tx:
        foreign = add_cases(tx, "client-1")[0]
    assert desk.get(f"/cases?after={foreign}", "limited").status_code == 404
    assert desk.get(f"/cases?after={foreign}").status_code == 200


def test_the_desks_pages_lead_to_what_is_older(app: Flask) -> None:
    amina = seat(app, "a")
    with app.app_context(), transaction() as tx:
        names = {"cases": add_cases(tx), "unmaskings": add_requests(tx)}
    for kind, every in names.items():
        first = amina.get(f"/desk/{kind}").text
        assert f'href="/desk/{kind}?after={every[MOST - 1]}"' in first
        last = amina.get(f"/desk/{kind}?after={every[2 * MOST - 1]}").text
        assert f"/desk/{kind}?after=" not in last
        assert amina.get(f"/desk/{kind}?after=nothing").status_code == 404
