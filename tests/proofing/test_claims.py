"""The room's answer: what is on file about this person, to who asks for it."""

from datetime import timedelta
from typing import Any

from broker.db import reading, transaction
from broker.feature import ClaimsAsked
from broker.identity.evidence import Evidence
from broker.proofing import store
from broker.proofing.claims import claims
from tests.conftest import ISSUER, NOON
from tests.proofing.pieces import OURS, ask, full
from tests.visits import Visit

ALL = "openid profile assurance document"
COMPARED = full("mrz_photo_operator")


def told(visit: Visit, scope: str = "", days: int = 0, **named: Any) -> Any:
    asked = ClaimsAsked(frozenset(scope.split()), named)
    with visit.app.app_context(), reading() as tx:
        return claims(tx, visit.account, asked, NOON + timedelta(days=days))


def file(visit: Visit, *pieces: Evidence) -> None:
    with visit.app.app_context(), transaction() as tx:
        for piece in pieces:
            store.file(tx, visit.account, piece, NOON)


def test_nobody_hears_of_a_person_who_has_shown_nothing(visit: Visit) -> None:
    assert told(visit, ALL, name=None, verified_claims=ask({}, "name")) == {}


def test_a_scope_that_is_not_ours_is_answered_with_nothing(visit: Visit) -> None:
    file(visit, COMPARED)
    assert told(visit, "openid offline_access") == {}


def test_each_scope_is_answered_with_its_own_claims(visit: Visit) -> None:
    file(visit, COMPARED)
    assert set(told(visit, "assurance")) == {"verified_claims"}
    assert set(told(visit, "document")) == {f"{ISSUER}/claims/document"}
    assert "verified_claims" not in told(visit, "profile")


def test_what_is_asked_for_by_name_needs_no_scope(visit: Visit) -> None:
    file(visit, COMPARED)
    assert told(visit, birthdate={"essential": True}) == {"birthdate": "1974-08-12"}
    assert told(visit, verified_claims=ask({}, "birthdate")) == {
        "verified_claims": {
            "verification": {"trust_framework": OURS},
            "claims": {"birthdate": "1974-08-12"},
        }
    }


def test_the_newest_reading_is_told_and_the_best_is_verified(visit: Visit) -> None:
    file(visit, COMPARED)
    newer = Evidence("mrz_photo", (), (), NOON + timedelta(days=1))
    file(visit, newer)
    found = told(visit, days=2, name=None, verified_claims=ask({}, "name"))
    assert "name" not in found
    assert found["verified_claims"]["claims"] == {"name": "ANNA MARIA ERIKSSON"}


def test_a_reading_that_is_too_old_is_told_to_nobody(visit: Visit) -> None:
    file(visit, full("mrz_photo"))
    assert told(visit, ALL, days=31, name=None) == {}


def test_what_no_door_here_brings_is_not_verified(visit: Visit) -> None:
    file(visit, full("eidas_high"))
    request = ask({"trust_framework": {"value": "eidas"}}, "name")
    assert told(visit, verified_claims=request) == {}
