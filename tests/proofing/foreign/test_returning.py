from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from broker.db import reading
from broker.identity.scheme import Scheme
from broker.proofing.models import FiledEvidence, OpenAttempt
from tests import visits
from tests.conftest import ISSUER, StoppedClock
from tests.proofing.foreign.conftest import Detour
from tests.verifiers.upstream.peer import Peer
from tests.visits import Visit, entries, events


def rows(app: Flask, table: type) -> int:
    with app.app_context(), reading() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


def test_what_they_say_is_shown_before_it_is_kept(detour: Detour, app: Flask) -> None:
    text = detour.visit.get(f"{detour.review()}?ui_locales=en").text
    assert "This is what \u2068Trial identity\u2069 told us about you." in text
    assert "<dd><bdi>Onases</bdi>" in text
    assert "<dd><bdi>75056</bdi>" in text
    assert "level “verified”" in text
    assert rows(app, FiledEvidence) == 0


def test_what_is_confirmed_is_filed_and_the_visit_goes_on(detour: Detour, app: Flask) -> None:
    answer = detour.file()
    assert (answer.status_code, answer.location) == (303, f"/authorize/{detour.handle}")
    assert rows(app, FiledEvidence) == 1
    accepted = next(e for e in entries(app) if e["event"] == "evidence.accepted")
    assert (accepted["facts"]["kind"], accepted["facts"]["level"]) == ("fc_eidas2", "P2")
    assert "u-1" not in str(entries(app))
    assert "Onases" not in str(entries(app))


def test_the_same_answer_twice_is_looked_at_once(detour: Detour, peer: Peer) -> None:
    came = detour.answer(detour.leave())
    first = detour.visit.get(detour.visit.get(came).location)
    again = detour.visit.get(detour.visit.get(came).location)
    assert first.location == again.location
    assert peer.asked.count("/token") == 1


def test_the_back_button_leads_to_what_was_read(detour: Detour) -> None:
    came = detour.visit.get(detour.answer(detour.leave()))
    review = detour.visit.get(came.location).location
    assert detour.visit.get(came.location).location == review


def test_an_answer_after_it_was_filed_is_over_and_says_how_to_go_on(detour: Detour) -> None:
    came = detour.answer(detour.leave())
    path = urlsplit(detour.visit.get(detour.visit.get(came).location).location).path
    detour.visit.post(path, answer="right")
    late = detour.visit.get(came)
    assert late.status_code == 404
    assert 'data-code="foreign_answer_lost"' in late.text


def test_two_tabs_are_two_attempts(detour: Detour) -> None:
    first, second = (detour.answer(detour.leave()) for _ in range(2))
    for came in (second, first):
        answer = detour.visit.get(detour.visit.get(came).location)
        assert "/review/" in answer.location


def test_half_an_hour_abroad_is_no_matter(detour: Detour, peer: Peer, clock: StoppedClock) -> None:
    url = detour.leave()
    clock.forward(minutes=31)
    object.__setattr__(peer, "now", clock.now)
    answer = detour.visit.get(detour.visit.get(detour.answer(url)).location)
    assert "/review/" in answer.location


def test_who_comes_back_too_late_is_told_how_to_go_on(detour: Detour, clock: StoppedClock) -> None:
    came = detour.answer(detour.leave())
    clock.forward(minutes=46)
    answer = detour.visit.get(f"{came}&ui_locales=en")
    assert answer.status_code == 404
    assert "start again" in answer.text


def test_a_change_of_language_abroad_is_no_matter(detour: Detour) -> None:
    path = detour.review()
    assert 'lang="ar"' in detour.visit.get(f"{path}?ui_locales=ar").text
    assert "هوية تجريبية" in detour.visit.get(path).text


def test_the_answer_needs_no_cookie_and_sets_none(detour: Detour, app: Flask) -> None:
    came = detour.answer(detour.leave())
    bare = app.test_client().get(came, base_url=ISSUER)
    assert bare.status_code == 303
    assert "Set-Cookie" not in bare.headers
    posted = app.test_client().post("/foreign/upstream/trial", data={"state": "x"})
    assert posted.status_code == 404


def test_an_answer_that_another_browser_brought_is_not_collected_there(
    detour: Detour, app: Flask
) -> None:
    thief = visits.sign_in(visits.come(app, "c" * 43))
    came = detour.visit.get(detour.answer(detour.leave()))
    assert thief.get(came.location).status_code == 404


def test_the_answer_to_my_attempt_brought_by_somebody_else_needs_their_ticket(
    detour: Detour, app: Flask
) -> None:
    # A lure: somebody makes another person's browser bring the answer to their own attempt.
    lured = app.test_client().get(detour.answer(detour.leave()), base_url=ISSUER)
    path, _, _ = lured.location.rpartition("/")
    assert detour.visit.get(f"{path}/{'t' * 43}").status_code == 404
    assert detour.visit.get(lured.location).status_code == 303


def test_the_return_address_of_another_scheme_is_not_this_ones(detour: Detour, app: Flask) -> None:
    came = detour.answer(detour.leave()).replace("/trial?", "/lowly?")
    answer = detour.visit.get(detour.visit.get(came).location)
    assert answer.status_code == 422
    assert entries(app)[-1]["facts"]["reason"] == "answer_from_elsewhere"


def test_what_is_refused_is_on_record_and_leads_on(detour: Detour, app: Flask, peer: Peer) -> None:
    peer.wrong.id_token = lambda claims: claims.update(acr="eidas1")
    answer = detour.come_back()
    assert answer.status_code == 422
    assert "upstream_level_low" in answer.text
    assert f'href="/prove/{detour.handle}"' in answer.text
    refused = entries(app)[-1]
    assert refused["event"] == "evidence.refused"
    assert refused["facts"]["reason"] == "upstream_level_low"
    assert rows(app, OpenAttempt) == rows(app, FiledEvidence) == 0


def test_a_provider_that_is_silent_closes_its_door_and_no_other(
    detour: Detour, app: Flask, peer: Peer
) -> None:
    peer.wrong.silent = "openid-configuration"
    answer = detour.visit.get(f"/prove/{detour.handle}/upstream?scheme=trial&country=FR")
    assert answer.status_code == 503
    assert "upstream_silent" in answer.text
    assert f'href="/prove/{detour.handle}"' in answer.text
    assert "scheme=trial&amp;country=FR" in answer.text
    assert entries(app)[-1]["facts"]["reason"] == "upstream_silent"


def test_a_scheme_taken_away_meanwhile_leads_on(detour: Detour, schemes: dict[str, Scheme]) -> None:
    came = detour.answer(detour.leave())
    del schemes["trial"]
    answer = detour.visit.get(detour.visit.get(came).location)
    assert answer.status_code == 422
    assert "upstream_scheme_gone" in answer.text


def test_our_keys_for_providers_are_published(visit: Visit) -> None:
    answer = visit.get("/foreign/upstream/jwks.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/jwk-set+json"
    assert visit.get("/foreign/upstream/other.json").status_code == 404
    assert visit.get("/foreign/letter/jwks.json").status_code == 404


def test_an_answer_may_not_be_huge(detour: Detour) -> None:
    came = detour.answer(detour.leave())
    assert detour.visit.get(f"{came}&x={'x' * 20_000}").status_code == 413


@pytest.mark.parametrize("state", ["", "x", "x" * 200, "%00", "%F0%9F%92%A9"])
def test_an_answer_to_nothing_is_told_so(visit: Visit, state: str, app: Flask) -> None:
    answer = visit.get(f"/foreign/upstream/trial?state={state}&code=c")
    assert answer.status_code == 404
    assert events(app) == []


def test_signed_out_meanwhile_the_visit_can_go_on(detour: Detour, app: Flask) -> None:
    came = detour.visit.get(detour.answer(detour.leave()))
    stranger = replace(visits.come(app), account="")  # the same browser, and nobody signed in
    answer = stranger.get(came.location)
    assert answer.status_code == 404
    assert 'data-code="not_signed_in"' in answer.text
    assert f'href="/authorize/{detour.handle}"' in answer.text


def test_an_answer_that_nobody_waits_for_leads_back_to_the_visit(
    detour: Detour, peer: Peer
) -> None:
    came = detour.visit.get(detour.answer(detour.leave()))
    peer.wrong.id_token = lambda claims: claims.update(acr="eidas1")
    assert detour.visit.get(came.location).status_code == 422
    reloaded = detour.visit.get(came.location)
    assert reloaded.status_code == 404
    assert 'data-code="foreign_answer_lost"' in reloaded.text
    assert f'href="/authorize/{detour.handle}"' in reloaded.text


def test_asking_abroad_has_its_limit(detour: Detour, app: Flask) -> None:
    for _ in range(app.extensions["broker"].settings.proofing.attempts_per_hour):
        detour.leave()
    path = f"/prove/{detour.handle}/upstream?scheme=trial&country=FR"
    assert detour.visit.get(path).status_code == 429
