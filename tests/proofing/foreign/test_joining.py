"""Whose a foreign identity is: linked, compared, asked about, refused, unlinked."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from broker.db import reading
from broker.proofing.foreign.models import ForeignIdentity
from broker.proofing.models import FiledEvidence
from tests import visits
from tests.people import forms
from tests.proofing.foreign.conftest import Detour
from tests.proofing.foreign.test_returning import rows
from tests.verifiers.upstream.peer import Peer
from tests.visits import entries, events


def says(peer: Peer, **claims: Any) -> None:
    """From now on the provider says this of whoever comes, the subject included."""

    def change(said: dict[str, Any]) -> None:
        said.update(claims)

    def subject(said: dict[str, Any]) -> None:
        said["sub"] = claims.get("sub", said["sub"])

    peer.wrong.userinfo = change
    peer.wrong.id_token = subject


def facts(app: Flask, event: str) -> Any:
    return [entry["facts"] for entry in entries(app) if entry["event"] == event][-1]


def again(detour: Detour, **fields: str) -> Any:
    """Another detour of the same person, confirmed with these fields."""
    detour.handle = visits.ask(detour.visit, acr_values="verified-phr")
    return detour.visit.post(detour.review(), answer="right", **fields)


def test_the_first_identity_is_linked_and_on_record(detour: Detour, app: Flask) -> None:
    detour.file()
    assert events(app)[-2:] == ["identity.linked", "evidence.accepted"]
    told = facts(app, "identity.linked")
    assert (told["scheme"], told["method"]) == ("trial", "identifier")


def test_the_identifier_lies_there_as_a_keyed_digest_and_sealed(detour: Detour, app: Flask) -> None:
    detour.file()
    with app.app_context(), reading() as tx:
        row = tx.scalars(select(ForeignIdentity)).one()
        assert len(row.digest) == 32
        assert b"u-1" not in row.digest + row.sealed


def test_the_same_identity_again_is_no_new_link(detour: Detour, app: Flask) -> None:
    detour.file()
    again(detour)
    assert rows(app, ForeignIdentity) == 1
    assert rows(app, FiledEvidence) == 2


def test_an_identity_of_another_access_is_never_moved(
    detour: Detour, app: Flask, peer: Peer
) -> None:
    detour.file()
    other = visits.sign_in(visits.come(app, "c" * 43))
    second = Detour(other, peer, visits.ask(other))
    answer = second.file()
    assert answer.status_code == 409
    assert "identity_elsewhere" in answer.text
    assert 'href="/account"' in answer.text
    assert facts(app, "identity.refused")["reason"] == "identity_elsewhere"
    assert rows(app, ForeignIdentity) == rows(app, FiledEvidence) == 1


@pytest.mark.parametrize(
    "claims",
    [{"birthdate": "1975-04-21"}, {"family_name": "Bernard", "given_name": "Nadia"}],
)
def test_another_person_is_never_put_beside_the_first(
    detour: Detour, app: Flask, peer: Peer, claims: dict[str, str]
) -> None:
    detour.file()
    says(peer, sub="u-2", **claims)
    answer = again(detour)
    assert answer.status_code == 409
    assert "identity_of_another" in answer.text
    assert rows(app, ForeignIdentity) == rows(app, FiledEvidence) == 1


def test_e_mail_never_links_anybody(detour: Detour, app: Flask, peer: Peer) -> None:
    says(peer, email="sarah@example.org")
    detour.file()
    says(peer, sub="u-2", email="sarah@example.org", family_name="Bernard", given_name="Nadia")
    assert again(detour).status_code == 409


def test_a_new_identifier_of_the_same_person_is_linked_by_the_rule(
    detour: Detour, app: Flask, peer: Peer
) -> None:
    detour.file()
    says(peer, sub="u-2", family_name="ONASÈS")
    assert again(detour).status_code == 303
    assert facts(app, "identity.linked")["method"] == "rule"
    assert facts(app, "identity.linked")["rule"] == "same-person-1"
    assert rows(app, ForeignIdentity) == 2


def test_where_the_rule_cannot_tell_the_person_is_asked(
    detour: Detour, app: Flask, peer: Peer
) -> None:
    detour.file()
    says(peer, sub="u-2", given_name="Sarah Marie")
    detour.handle = visits.ask(detour.visit, acr_values="verified-phr")
    path = detour.review()
    text = detour.visit.get(f"{path}?ui_locales=en").text
    assert "The given names are not written alike." in text
    assert "The family names" not in text
    assert "same" in forms(text)[0].fields or 'name="same"' in text
    unanswered = detour.visit.post(path, answer="right")
    assert unanswered.location == f"{path}?same=asked"
    assert rows(app, ForeignIdentity) == 1
    assert detour.visit.post(path, answer="right", same="yes").status_code == 303
    told = facts(app, "identity.linked")
    assert told["method"] == "person"
    assert told["reasons"] == "birthdate:whole family:whole given:partly"


def test_the_record_names_nobody(detour: Detour, app: Flask, peer: Peer) -> None:
    detour.file()
    says(peer, sub="u-2", given_name="Sarah Marie")
    again(detour, same="yes")
    told = str(entries(app))
    for name in ("u-1", "u-2", "Onases", "Sarah", "1975"):
        assert name not in told


def test_unlinking_takes_all_that_it_said_and_is_on_record(detour: Detour, app: Flask) -> None:
    detour.file()
    page = detour.visit.get("/account?ui_locales=en").text
    assert "Trial identity" in page
    assert "linked on 23 November 2026" in page
    action = next(f.action for f in forms(page) if f.action.endswith("/unlink"))
    answer = detour.visit.post(action)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert events(app)[-2:] == ["evidence.removed", "identity.unlinked"]
    assert rows(app, ForeignIdentity) == rows(app, FiledEvidence) == 0


def test_unlinked_it_may_be_anothers(detour: Detour, app: Flask, peer: Peer) -> None:
    detour.file()
    page = detour.visit.get("/account").text
    detour.visit.post(next(f.action for f in forms(page) if f.action.endswith("/unlink")))
    other = visits.sign_in(visits.come(app, "c" * 43))
    assert Detour(other, peer, visits.ask(other)).file().status_code == 303


def test_nobody_unlinks_what_is_anothers(detour: Detour, app: Flask) -> None:
    detour.file()
    page = detour.visit.get("/account").text
    action = next(f.action for f in forms(page) if f.action.endswith("/unlink"))
    other = visits.sign_in(visits.come(app, "c" * 43))
    assert other.post(action).status_code == 404
    answer = other.post("/foreign/identities/none/unlink")
    assert answer.status_code == 404
    assert 'data-code="identity_unknown"' in answer.text
    assert rows(app, ForeignIdentity) == 1
