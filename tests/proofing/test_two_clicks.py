"""Impatient fingers, on either kind of database."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from broker.consent.models import Consent
from broker.db import reading
from broker.proofing.models import FiledEvidence
from tests import visits
from tests.proofing.conftest import Desk
from tests.visits import Visit, events

CLICKS = 4


def click(visit: Visit, path: str, **fields: str) -> list[int]:
    """The answers' statuses to as many clicks at once, each by a connection of its own."""

    def once(_: int) -> int:
        with visit.app.test_client() as client:
            for name, value in cookies.items():
                client.set_cookie(name, value, domain="broker.test", secure=True)
            return Visit(visit.app, client, visit.browser).post(path, **fields).status_code

    names = ("__Host-miftah_browser", "__Host-miftah_session")
    found = {name: visit.client.get_cookie(name, "broker.test") for name in names}
    cookies = {name: cookie.value for name, cookie in found.items() if cookie is not None}
    with ThreadPoolExecutor(CLICKS) as pool:
        return sorted(pool.map(once, range(CLICKS)))


def count(app: Flask, table: type) -> int:
    with app.app_context(), reading() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def visit(disk_app: Flask) -> Visit:
    return visits.sign_in(visits.come(disk_app))


def test_what_was_read_is_filed_once_however_often_it_is_confirmed(
    desk: Desk, disk_app: Flask
) -> None:
    assert click(desk.visit, desk.read(), answer="right") == [303, *[404] * (CLICKS - 1)]
    assert count(disk_app, FiledEvidence) == 1
    assert events(disk_app) == ["evidence.accepted"]


def test_agreeing_twice_at_once_is_agreeing(visit: Visit, disk_app: Flask) -> None:
    assert click(visit, f"/consent/{visits.ask(visit)}") == [303] * CLICKS
    assert count(disk_app, Consent) == 1


def test_going_on_without_twice_at_once_is_going_on(desk: Desk) -> None:
    desk.file()
    path = f"/prove/{visits.ask(desk.visit, 'openid', 'verified-phr')}"
    assert click(desk.visit, path) == [303] * CLICKS
