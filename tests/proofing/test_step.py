from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask

from broker.db import reading, transaction
from broker.errors import OAuthCode
from broker.feature import Asked
from broker.identity.evidence import Evidence
from broker.identity.verifier import Verifier
from broker.proofing import store
from broker.proofing.step import ProofingStep
from broker.web.tools import Tools
from tests import visits
from tests.conftest import NOON
from tests.proofing.letter import ComparedVerifier, LetterVerifier
from tests.visits import Visit

LATER = NOON + timedelta(minutes=5)
YESTERDAY = NOON - timedelta(days=1)


def owed(app: Flask, asked: Asked) -> bool:
    with app.app_context(), reading() as tx:
        return ProofingStep().owed(tx, asked, LATER)


def file(visit: Visit, kind: str = "mrz_photo", at: datetime = YESTERDAY) -> None:
    evidence = Evidence(kind, (), (), YESTERDAY)
    with visit.app.app_context(), transaction() as tx:
        store.file(tx, visit.account, evidence, at)


@pytest.mark.parametrize("scope", ["openid profile", "openid assurance", "openid document"])
def test_it_is_owed_while_nothing_is_known_of_the_person(visit: Visit, scope: str) -> None:
    assert owed(visit.app, visits.asked(visit, scope))


def test_it_is_not_owed_where_nothing_is_asked_of_the_person(visit: Visit) -> None:
    assert not owed(visit.app, visits.asked(visit, "openid offline_access"))


def test_it_is_not_owed_while_a_reading_is_in_force(visit: Visit) -> None:
    file(visit)
    assert not owed(visit.app, visits.asked(visit))


def test_it_is_owed_again_once_the_reading_is_too_old(visit: Visit) -> None:
    file(visit)
    long_after = NOON + timedelta(days=40)
    with visit.app.app_context(), reading() as tx:
        assert ProofingStep().owed(tx, visits.asked(visit, began=long_after), long_after)


def test_anothers_reading_is_not_ones_own(visit: Visit) -> None:
    file(visit)
    assert owed(visit.app, visits.asked(visits.sign_in(visit)))


def test_a_level_above_what_is_held_is_owed_if_a_door_leads_higher(visit: Visit) -> None:
    file(visit)
    assert owed(visit.app, visits.asked(visit, "openid", "basic"))
    assert owed(visit.app, visits.asked(visit, "openid", "verified-phr"))


def test_a_level_that_is_held_is_not_owed(visit: Visit) -> None:
    file(visit, "mrz_photo_operator")
    assert not owed(visit.app, visits.asked(visit, "openid", "basic"))
    assert not owed(visit.app, visits.asked(visit, "openid", "contact"))


def test_any_of_the_asked_levels_will_do(visit: Visit) -> None:
    file(visit, "mrz_photo_operator")
    assert not owed(visit.app, visits.asked(visit, "openid", "verified-phr basic"))


def test_an_acr_that_is_not_ours_is_not_owed(visit: Visit) -> None:
    asked = replace(visits.asked(visit, "openid"), acr_values=("urn:eidas:high",))
    assert not owed(visit.app, asked)


def test_who_has_filed_since_the_request_came_is_not_asked_again(visit: Visit) -> None:
    file(visit, at=LATER)
    assert not owed(visit.app, visits.asked(visit, "openid", "verified-phr"))


def test_who_goes_on_without_is_not_asked_again_in_this_interaction(visit: Visit) -> None:
    file(visit)
    with visit.app.app_context(), transaction() as tx:
        store.waive(tx, visit.account, "i1", LATER)
    asked = visits.asked(visit, "openid", "verified-phr")
    assert not owed(visit.app, asked)
    assert owed(visit.app, replace(asked, interaction="i2"))
    assert owed(visit.app, replace(asked, interaction=None))


def test_going_on_without_is_ones_own_choice(visit: Visit) -> None:
    with visit.app.app_context(), transaction() as tx:
        store.waive(tx, visit.account, "i1", LATER)
    assert owed(visit.app, visits.asked(visits.sign_in(visit)))


def test_without_a_page_the_client_hears_that_interaction_is_required() -> None:
    assert ProofingStep().refusal is OAuthCode.INTERACTION_REQUIRED


class TestWithPhotographsAlone:
    @pytest.fixture
    def tools(self, tools: Tools) -> Tools:
        only: tuple[Verifier, ...] = (LetterVerifier(),)
        return replace(tools, verifiers=only)

    def test_a_level_that_no_door_brings_nearer_is_told_to_the_person_but_not_to_a_silent_client(
        self, visit: Visit
    ) -> None:
        file(visit)
        asked = visits.asked(visit, "openid profile", "verified-phr")
        assert owed(visit.app, asked)
        assert not owed(visit.app, replace(asked, prompt=frozenset({"none"})))

    def test_where_no_door_helps_the_page_says_so_and_lets_the_person_go_on(
        self, visit: Visit
    ) -> None:
        file(visit)
        handle = visits.ask(visit, "openid profile", "verified-phr")
        page = visit.get(f"/prove/{handle}?ui_locales=en").text
        assert "More is asked than we can establish today" in page
        assert visit.post(f"/prove/{handle}").location == f"/authorize/{handle}"
        asked = visits.asked(visit, "openid profile", "verified-phr", interaction=handle)
        assert not owed(visit.app, asked)

    def test_the_only_door_is_gone_through_at_once(self, visit: Visit) -> None:
        handle = visits.ask(visit)
        assert visit.get(f"/prove/{handle}").location == f"/prove/{handle}/letter"

    def test_but_not_where_it_is_not_enough(self, visit: Visit) -> None:
        assert visit.get(f"/prove/{visits.ask(visit, acr_values='basic')}").status_code == 200


class TestWithADoorThatHelps:
    @pytest.fixture
    def tools(self, tools: Tools) -> Tools:
        only: tuple[Verifier, ...] = (ComparedVerifier(),)
        return replace(tools, verifiers=only)

    def test_a_level_between_the_two_is_owed_and_may_be_waived(self, visit: Visit) -> None:
        file(visit)
        handle = visits.ask(visit, "openid", "verified-phr")
        assert "compared" in visit.get(f"/prove/{handle}").text
        assert visit.post(f"/prove/{handle}").location == f"/authorize/{handle}"
        assert not owed(
            visit.app, visits.asked(visit, "openid", "verified-phr", interaction=handle)
        )
