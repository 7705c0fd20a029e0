"""The pages of no room: what Miftah is, its policy, what is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.app import create_app
from broker.db import db
from broker.identity.assurance import Source, published
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.web.conftest import see


@pytest.mark.parametrize("door", ["/", "/policy", "/privacy"])
def test_it_is_open_to_everyone(client: FlaskClient, door: str) -> None:
    assert see(client, door).status_code == 200


def test_the_first_page_says_what_a_photograph_does_not_prove(client: FlaskClient) -> None:
    assert "It does not show that the passport is yours." in see(client, "/").text


def test_the_policy_explains_every_level(client: FlaskClient) -> None:
    page = see(client, "/policy").text
    for level in ("P0", "P1", "P2", "P3", "C0", "C1", "C2o", "C2", "C3"):
        assert f'id="level-{level}"' in page


def test_the_policy_names_every_kind_of_evidence_in_words(
    client: FlaskClient, tools: Tools
) -> None:
    page = see(client, "/policy").text
    assert page.count("open today") + page.count("not open yet") == len(tools.policy.evidence)
    for kind in tools.policy.evidence:
        assert f">{kind}" not in page


def test_only_the_doors_that_hang_here_are_called_open(client: FlaskClient) -> None:
    assert see(client, "/policy").text.count("open today") == 1


def test_a_kind_without_words_shows_its_key(tools: Tools) -> None:
    worth = tools.policy.evidence["mrz_photo"]
    policy = tools.policy.model_copy(update={"evidence": {"tea_leaves": worth}})
    app = create_app(replace(tools, policy=policy))
    assert "tea_leaves" in see(app.test_client(), "/policy").text
    with app.app_context():
        db.engine.dispose()


def test_a_fraud_source_that_is_really_asked_is_named(tools: Tools) -> None:
    sources = (Source(id="stolen-documents", score=1),)
    policy = tools.policy.model_copy(update={"fraud_sources": sources})
    app = create_app(replace(tools, policy=policy))
    page = see(app.test_client(), "/policy").text
    assert "stolen-documents" in page
    assert "We ask no source" not in page
    with app.app_context():
        db.engine.dispose()


def test_the_policy_admits_that_no_fraud_source_is_asked(client: FlaskClient) -> None:
    assert "We ask no source of lost, stolen or misused documents" in see(client, "/policy").text


def test_the_policy_as_data_is_the_one_in_force(client: FlaskClient, tools: Tools) -> None:
    assert see(client, "/policy.json").get_json() == published(tools.policy, ISSUER)


def test_the_policy_as_data_may_be_kept_and_asked_for_again(client: FlaskClient) -> None:
    first = see(client, "/policy.json")
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    again = client.get(
        "/policy.json", base_url=ISSUER, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_another_policy_has_another_tag(client: FlaskClient, tools: Tools) -> None:
    other = create_app(replace(tools, policy=tools.policy.model_copy(update={"version": "next"})))
    assert (
        see(client, "/policy.json").headers["ETag"]
        != (see(other.test_client(), "/policy.json").headers["ETag"])
    )
    with other.app_context():
        db.engine.dispose()


def test_a_level_s_own_uri_leads_to_its_explanation(client: FlaskClient, tools: Tools) -> None:
    page = see(client, "/policy").text
    for acr in tools.policy.acr:
        answer = see(client, f"/acr/{acr.name}")
        assert (answer.status_code, answer.location) == (303, f"/policy#acr-{acr.name}")
        assert f'id="acr-{acr.name}"' in page


def test_a_level_that_is_not_in_the_policy_has_no_page(client: FlaskClient) -> None:
    assert see(client, "/acr/royal").status_code == 404


def test_a_problem_s_type_leads_to_its_explanation(client: FlaskClient) -> None:
    answer = see(client, "/problems/invalid_token")
    assert answer.status_code == 200
    assert "The access token is missing, wrong or too old." in answer.text


def test_a_problem_that_nobody_has_is_not_explained(client: FlaskClient) -> None:
    assert see(client, "/problems/%3Cb%3E").status_code == 404


@pytest.mark.parametrize(
    "promise",
    [
        "You stay signed in for at most 12 hours.",
        "Less, if you do nothing for 60 minutes.",
        "A reading that you do not confirm within 45 minutes can no longer be used.",
    ],
)
def test_the_times_we_promise_are_the_times_in_force(client: FlaskClient, promise: str) -> None:
    assert promise in see(client, "/privacy").text


def test_another_lifetime_is_promised_where_it_is_set(app: Flask, tools: Tools) -> None:
    proofing = tools.settings.proofing.model_copy(update={"attempt_lifetime": timedelta(minutes=5)})
    settings = tools.settings.model_copy(update={"proofing": proofing})
    other = create_app(replace(tools, settings=settings))
    assert "within 5 minutes" in see(other.test_client(), "/privacy").text
    with other.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    "path", ["/trust-framework", "/check-methods/check_digits", "/document-types/visa"]
)
def test_every_uri_that_tokens_carry_leads_to_the_policy(client: FlaskClient, path: str) -> None:
    assert client.get(path).location == "/policy"
