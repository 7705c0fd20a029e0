"""An answer that another site's form brings: without our cookie, to whoever began and no other."""

from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from broker.db import reading
from broker.proofing import attempts
from broker.proofing.models import FiledEvidence, OpenAttempt
from broker.web.tools import Tools
from tests import visits
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.people import forms
from tests.verifiers.eidas.conftest import Door, abroad
from tests.verifiers.eidas.node import Answer, Node
from tests.verifiers.eidas.schemes import rsa_key
from tests.visits import Visit, entries

ACS = "/foreign/eidas/xa"


@pytest.fixture
def away() -> Door:
    return abroad()


@dataclass
class Chance:
    """The verifier's own source of chance, which a test may let run dry."""

    is_stuck: bool = False
    serial: count = field(default_factory=lambda: count(1))

    def __call__(self, octets: int) -> bytes:
        return (0 if self.is_stuck else next(self.serial)).to_bytes(octets, "big")


@pytest.fixture
def chance() -> Chance:
    return Chance()


@pytest.fixture
def tools(tools: Tools, away: Door, chance: Chance) -> Tools:
    around = replace(away.verifier.around, random=chance)
    verifier = type(away.verifier)(around)
    return replace(tools, verifiers=(verifier,), schemes=around.schemes)


@pytest.fixture
def visit(app: Flask) -> Visit:
    return visits.sign_in(visits.come(app))


@dataclass
class Journey:
    """A person's way to the node and back, as pages and forms let them."""

    visit: Visit
    door: Door
    handle: str

    def leave(self) -> dict[str, str]:
        """The fields of the form that leads away."""
        page = self.visit.get(f"/prove/{self.handle}/eidas?scheme=xa&country=XA")
        assert page.status_code == 200, page.text
        form = next(form for form in forms(page.text) if form.action.startswith("https://"))
        assert form.action == "https://node.xa.test/sso"
        return form.fields

    def post(self, fields: dict[str, str], **changed: Any) -> TestResponse:
        """The node's form, sent from its site: our cookies do not come with it."""
        request = self.remembered(fields["RelayState"])
        answer = replace(Answer(f"{ISSUER}{ACS}.xml", f"{ISSUER}{ACS}", request), **changed)
        return self.send(fields["RelayState"], self.door.node.field(answer))

    def send(self, relay_state: str, response: str, path: str = ACS) -> TestResponse:
        stranger = self.visit.app.test_client()
        data = {"RelayState": relay_state, "SAMLResponse": response}
        return stranger.post(path, data=data, base_url=ISSUER)

    def remembered(self, handle: str) -> str:
        """The ID of the request, which the node has read in it."""
        with self.visit.app.app_context(), reading() as tx:
            row = tx.get(OpenAttempt, handle)
            assert row is not None
            return attempts.resume(tx, row, NOON, "en").remembered["request"]


@pytest.fixture
def journey(visit: Visit, away: Door) -> Journey:
    return Journey(visit, away, visits.ask(visit))


def filed(app: Flask) -> list[str]:
    with app.app_context(), reading() as tx:
        return list(tx.scalars(select(FiledEvidence.kind)))


def test_the_page_that_leads_away_may_send_its_form_there_and_nowhere_else(
    journey: Journey,
) -> None:
    page = journey.visit.get(f"/prove/{journey.handle}/eidas?scheme=xa&country=XA")
    policy = page.headers["Content-Security-Policy"]
    targets = next(part for part in policy.split("; ") if part.startswith("form-action"))
    assert "https://node.xa.test" in targets.split()
    other = journey.visit.get(f"/prove/{journey.handle}").headers["Content-Security-Policy"]
    assert "https://node.xa.test" not in other


def test_the_answer_is_laid_down_without_a_cookie_and_collected_with_one(
    journey: Journey, app: Flask
) -> None:
    posted = journey.post(journey.leave())
    assert posted.status_code == 303
    assert "Set-Cookie" not in posted.headers or "session" not in posted.headers["Set-Cookie"]
    collected = journey.visit.get(posted.location)
    assert collected.status_code == 303, collected.text
    page = journey.visit.get(f"{collected.location}?ui_locales=en")
    assert "Onases" in page.text
    assert "1975" in page.text
    assert filed(app) == []
    done = journey.visit.post(collected.location, answer="right")
    assert (done.status_code, done.location) == (303, f"/authorize/{journey.handle}")
    assert filed(app) == ["eidas_substantial"]
    assert entries(app)[-1]["event"] == "evidence.accepted"


def test_what_was_laid_down_lies_sealed_and_is_gone_once_collected(
    journey: Journey, app: Flask
) -> None:
    posted = journey.post(journey.leave())
    with app.app_context(), reading() as tx:
        answer = tx.scalars(select(OpenAttempt.answer)).one()
        assert answer is not None
        assert b"SAMLResponse" not in answer
    journey.visit.get(posted.location)
    with app.app_context(), reading() as tx:
        assert tx.scalars(select(OpenAttempt.answer)).one() is None


def test_another_browser_cannot_collect_it(journey: Journey, app: Flask) -> None:
    posted = journey.post(journey.leave())
    other = visits.sign_in(visits.come(app, "c" * 43))
    assert other.get(posted.location).status_code == 404
    assert journey.visit.get(posted.location).status_code == 303


def test_who_has_the_cookie_but_not_the_ticket_cannot_collect_it(
    journey: Journey, app: Flask
) -> None:
    """Somebody lured a victim into answering a question of theirs: the ticket is the victim's."""
    posted = journey.post(journey.leave())
    path, _, _ = posted.location.rpartition("/")
    assert journey.visit.get(f"{path}/{'t' * 43}").status_code == 404
    assert filed(app) == []


@pytest.mark.parametrize("relay_state", ["", "nobody", "x" * 43, "\x00"])
def test_an_answer_to_nothing_is_lost_with_a_way_on(journey: Journey, relay_state: str) -> None:
    lost = journey.send(relay_state, "eA==", f"{ACS}?ui_locales=en")
    assert lost.status_code == 404
    assert "foreign_answer_lost" in lost.text
    assert "Go back to the service that sent you here and start again" in lost.text


def test_an_answer_that_comes_too_late_is_lost(journey: Journey, clock: StoppedClock) -> None:
    fields = journey.leave()
    clock.forward(minutes=46)
    assert journey.send(fields["RelayState"], "eA==").status_code == 404


def test_half_an_hour_abroad_is_no_matter(journey: Journey, clock: StoppedClock) -> None:
    fields = journey.leave()
    clock.forward(minutes=30)
    posted = journey.post(fields, now=clock())
    collected = journey.visit.get(posted.location)
    assert "/review/" in collected.location


def test_back_and_forward_show_where_things_stand(journey: Journey) -> None:
    fields = journey.leave()
    posted = journey.post(fields)
    first = journey.visit.get(posted.location)
    assert journey.visit.get(posted.location).location == first.location
    again = journey.visit.get(journey.post(fields).location)
    assert again.location == first.location


def test_two_tabs_do_not_disturb_one_another(journey: Journey) -> None:
    first, second = journey.leave(), journey.leave()
    for fields in (second, first):
        collected = journey.visit.get(journey.post(fields).location)
        assert "/review/" in collected.location


def test_the_answer_of_one_tab_is_none_for_the_other(journey: Journey) -> None:
    first, second = journey.leave(), journey.leave()
    request = journey.remembered(first["RelayState"])
    answer = Answer(f"{ISSUER}{ACS}.xml", f"{ISSUER}{ACS}", request)
    posted = journey.send(second["RelayState"], journey.door.node.field(answer))
    refused = journey.visit.get(posted.location)
    assert refused.status_code == 422
    assert "eidas_not_our_question" in refused.text


def test_the_language_may_change_on_the_way(journey: Journey) -> None:
    fields = journey.leave()
    journey.visit.get("/?ui_locales=ar")
    collected = journey.visit.get(journey.post(fields).location)
    assert 'lang="ar"' in journey.visit.get(collected.location).text


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_refusal_says_what_to_do_in_the_persons_language(
    journey: Journey, language: str, app: Flask
) -> None:
    journey.door.node = Node(rsa_key("stranger"), journey.door.node.to)
    posted = journey.post(journey.leave())
    page = journey.visit.get(f"{posted.location}?ui_locales={language}")
    assert page.status_code == 422
    assert f'lang="{language}"' in page.text
    assert "eidas_signature_wrong" in page.text
    assert "Somebody may have changed" not in page.text
    assert f"/prove/{journey.handle}" in page.text
    refusal = entries(app)[-1]
    assert (refusal["event"], refusal["facts"]["reason"]) == (
        "evidence.refused",
        "eidas_signature_wrong",
    )
    assert "Onases" not in str(entries(app))


def test_after_a_refusal_the_attempt_is_over(journey: Journey) -> None:
    fields = journey.leave()
    journey.door.node = Node(rsa_key("stranger"), journey.door.node.to)
    posted = journey.post(fields)
    assert journey.visit.get(posted.location).status_code == 422
    assert journey.send(fields["RelayState"], "eA==").status_code == 404


def test_an_assertion_is_used_once(journey: Journey, chance: Chance, app: Flask) -> None:
    """Two attempts that asked the same: only what was used up tells them apart."""
    chance.is_stuck = True
    first, second = journey.leave(), journey.leave()
    request = journey.remembered(first["RelayState"])
    assert request == journey.remembered(second["RelayState"])
    response = journey.door.node.field(Answer(f"{ISSUER}{ACS}.xml", f"{ISSUER}{ACS}", request))
    assert (
        journey.visit.get(journey.send(first["RelayState"], response).location).status_code == 303
    )
    refused = journey.visit.get(journey.send(second["RelayState"], response).location)
    assert refused.status_code == 422
    assert "evidence_replayed" in refused.text
    assert entries(app)[-1]["facts"]["reason"] == "evidence_replayed"


def test_our_metadata_are_served_to_everybody(app: Flask) -> None:
    answer = app.test_client().get(f"{ACS}.xml", base_url=ISSUER)
    assert answer.status_code == 200
    assert answer.mimetype == "application/samlmetadata+xml"
    assert b"AssertionConsumerService" in answer.data


def test_more_than_the_door_admits_is_refused(journey: Journey) -> None:
    fields = journey.leave()
    assert journey.send(fields["RelayState"], "A" * 300_000).status_code == 413


def test_a_door_that_sends_nobody_away_takes_no_answers(journey: Journey) -> None:
    assert journey.send("x", "eA==", "/foreign/letter/xa").status_code == 404


def test_an_answer_at_another_schemes_door_is_refused(journey: Journey) -> None:
    fields = journey.leave()
    posted = journey.send(fields["RelayState"], "eA==", "/foreign/eidas/xb")
    refused = journey.visit.get(posted.location)
    assert refused.status_code == 422
    assert "answer_from_elsewhere" in refused.text


def test_everything_about_the_file_of_keys_stays_in_its_folder(away: Door) -> None:
    assert {p.name for p in Path(away.verifier.around.key_files).iterdir()} == {
        "saml-signing.pem",
        "saml-encryption.pem",
    }
