from dataclasses import replace

import pytest
from sqlalchemy import select

from broker.db import reading, transaction
from broker.errors import NotFound
from broker.identity.evidence import Claim, Evidence
from broker.proofing import attempts
from broker.proofing.models import OpenAttempt
from tests.conftest import NOON
from tests.proofing.conftest import Desk


@pytest.mark.parametrize("part", ["account_id", "session_id", "interaction", "kind"])
def test_an_attempt_is_found_in_its_own_place_only(desk: Desk, part: str) -> None:
    handle = desk.open()
    with desk.visit.app.app_context(), reading() as tx:
        row = tx.scalars(select(OpenAttempt)).one()
        place = attempts.Place(row.account_id, row.session_id, row.interaction, row.kind)
        assert attempts.find(tx, handle, place, NOON) is row
        with pytest.raises(NotFound):
            attempts.find(tx, handle, replace(place, **{part: "another"}), NOON)


def test_what_a_person_may_be_looking_at_is_not_replaced(desk: Desk) -> None:
    desk.open()
    with desk.visit.app.app_context(), transaction() as tx:
        row = tx.scalars(select(OpenAttempt)).one()
        for name in ("FIRST", "SECOND"):
            claim = Claim("family_name", name, "line 1")
            attempts.keep(tx, row, Evidence("mrz_photo", (claim,), (), NOON))
        assert attempts.read(tx, row).value("family_name") == "FIRST"
