from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from broker.consent import store
from broker.consent.step import ConsentStep
from broker.db import reading, transaction
from broker.errors import NotFound, OAuthCode
from broker.feature import Asked
from tests import visits
from tests.conftest import NOON
from tests.visits import Visit

BEFORE, AFTER = NOON - timedelta(days=1), NOON + timedelta(minutes=1)


def owed(visit: Visit, asked: Asked) -> bool:
    with visit.app.app_context(), reading() as tx:
        return ConsentStep().owed(tx, asked, AFTER)


def agree(visit: Visit, scope: str, at: datetime = BEFORE, client: str = "taxes") -> None:
    with visit.app.app_context(), transaction() as tx:
        asked = visits.asked(visit, scope, client_id=client)
        store.give(tx, asked, at)


def test_it_is_owed_to_a_service_that_is_new(visit: Visit) -> None:
    assert owed(visit, visits.asked(visit, "openid"))


def test_it_is_not_owed_for_what_was_agreed_to(visit: Visit) -> None:
    agree(visit, "openid profile")
    assert not owed(visit, visits.asked(visit, "openid profile"))
    assert not owed(visit, visits.asked(visit, "openid"))


@pytest.mark.parametrize("more", ["assurance", "document", "offline_access"])
def test_it_is_owed_for_anything_more(visit: Visit, more: str) -> None:
    agree(visit, "openid profile")
    assert owed(visit, visits.asked(visit, f"openid {more}"))


def test_what_was_agreed_to_before_stays_agreed(visit: Visit) -> None:
    agree(visit, "openid profile")
    agree(visit, "openid assurance")
    assert not owed(visit, visits.asked(visit, "openid profile assurance"))


def test_prompt_consent_wants_an_agreement_of_now(visit: Visit) -> None:
    agree(visit, "openid")
    asked = visits.asked(visit, "openid", prompt="consent")
    assert owed(visit, asked)
    agree(visit, "openid", at=AFTER)
    assert not owed(visit, asked)


def test_an_agreement_is_with_one_service(visit: Visit) -> None:
    agree(visit, "openid", client="library")
    assert owed(visit, visits.asked(visit, "openid"))


def test_an_agreement_is_ones_own(visit: Visit) -> None:
    agree(visit, "openid")
    assert owed(visit, visits.asked(visits.sign_in(visit), "openid"))


def test_nobody_agrees_without_being_signed_in(visit: Visit) -> None:
    with pytest.raises(NotFound):
        owed(visit, replace(visits.asked(visit), signed_in=None))


def test_without_a_page_the_client_hears_that_consent_is_required() -> None:
    assert ConsentStep().refusal is OAuthCode.CONSENT_REQUIRED
