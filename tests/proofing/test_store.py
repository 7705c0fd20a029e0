from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from flask import Flask
from sqlalchemy import func, select

from broker.accounts import vault
from broker.db import reading, transaction
from broker.errors import NotFound
from broker.identity.evidence import Claim, Evidence
from broker.proofing import store
from broker.proofing.models import FiledEvidence, OpenAttempt, Try, Waiver
from tests import visits
from tests.conftest import NOON
from tests.proofing.conftest import Desk
from tests.visits import Visit

ANNA = Evidence("mrz_photo", (Claim("family_name", "ERIKSSON", "line 1, 6–44"),), (), NOON)


def test_what_is_filed_is_found_newest_first(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        for days in (1, 3, 2):
            at = NOON + timedelta(days=days)
            store.file(tx, visit.account, Evidence("mrz_photo", ANNA.claims, (), at), NOON)
    with visit.app.app_context(), reading() as tx:
        found = store.evidence(tx, visit.account)
    assert [e.at.day - NOON.day for e in found] == [3, 2, 1]
    assert {e.value("family_name") for e in found} == {"ERIKSSON"}
    assert len({e.reference for e in found}) == 3


def test_an_outline_says_nothing_of_the_person(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        filing = store.file(tx, visit.account, ANNA, NOON)
    with visit.app.app_context(), reading() as tx:
        (outline,) = store.outlines(tx, visit.account)
    assert outline == Evidence("mrz_photo", (), (), NOON, None, filing.id)


def test_a_sealed_body_moved_to_another_row_does_not_open(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        store.file(tx, visit.account, ANNA, NOON)
        store.file(tx, visit.account, ANNA, NOON)
        tx.flush()
        one, two = tx.scalars(select(FiledEvidence))
        one.body, two.body = two.body, one.body
    with visit.app.app_context(), reading() as tx, pytest.raises(InvalidTag):
        store.evidence(tx, visit.account)


def test_the_same_paper_has_another_digest_each_time(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        first = store.file(tx, visit.account, ANNA, NOON)
        second = store.file(tx, visit.account, ANNA, NOON)
    assert first.digest != second.digest


def test_the_digest_can_be_made_again_from_what_is_sealed(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        filing = store.file(tx, visit.account, ANNA, NOON)
    with visit.app.app_context(), reading() as tx:
        (evidence,) = store.evidence(tx, visit.account)
        row = tx.get_one(FiledEvidence, filing.id)
        wrapping = visit.app.extensions["broker"].keyring.wrapping
        body = vault.unseal(tx, visit.account, f"evidence:{filing.id}", row.body, wrapping)
    assert store.digest(body["salt"], evidence) == filing.digest


def test_a_digest_changes_with_any_value() -> None:
    other = Evidence("mrz_photo", (Claim("family_name", "ERIKSON", "line 1, 6–44"),), (), NOON)
    assert store.digest("salt", ANNA) != store.digest("salt", other)


def test_once_the_key_is_destroyed_nothing_opens(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        store.file(tx, visit.account, ANNA, NOON)
        vault.destroy(tx, visit.account)
    with visit.app.app_context(), reading() as tx, pytest.raises(NotFound):
        store.evidence(tx, visit.account)


def test_old_waivers_are_swept_away(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        store.waive(tx, visit.account, "i1", NOON)
        store.waive(tx, visit.account, "i2", NOON + timedelta(hours=1))
    with visit.app.app_context(), reading() as tx:
        assert tx.scalars(select(Waiver.interaction)).all() == ["i2"]


def test_erasing_removes_every_row_of_the_account_and_no_other(desk: Desk, app: Flask) -> None:
    other = visits.sign_in(visits.come(app, "c" * 43))
    for visit in (desk.visit, other):
        theirs = Desk(visit, visits.ask(visit))
        theirs.file()
        theirs.read()
        with app.app_context(), transaction() as tx:
            store.waive(tx, visit.account, theirs.handle, NOON)
    with app.app_context(), transaction() as tx:
        store.erase(tx, desk.visit.account)
    with app.app_context(), reading() as tx:
        for table in (OpenAttempt, Try, FiledEvidence, Waiver):
            owners = set(tx.scalars(select(table.account_id)))
            assert owners == {other.account}, table
            assert tx.scalar(select(func.count()).select_from(table))
