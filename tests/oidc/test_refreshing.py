"""A refresh token comes back: a client that lost our answer, or a thief (RFC 9700 §4.14.2)."""

import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from broker.db import reading
from broker.oidc.models import RefreshToken
from tests.conftest import StoppedClock
from tests.oidc.test_revocation import works
from tests.oidc.test_token import events, refresh
from tests.service import Service, register, settle

OFFLINE = "openid offline_access"


@pytest.fixture
def first(client: FlaskClient, service: Service, person: object) -> dict[str, Any]:
    return service.tokens(client, scope=OFFLINE)


def test_a_retry_within_ten_seconds_gets_the_very_same_answer(
    app: Flask,
    client: FlaskClient,
    service: Service,
    clock: StoppedClock,
    first: dict[str, Any],
) -> None:
    answer = refresh(client, service, first["refresh_token"])
    clock.forward(seconds=9)
    again = refresh(client, service, first["refresh_token"])
    assert again.get_json() == answer.get_json()
    assert works(client, again.get_json()["access_token"])
    assert len(events(app, "token.issued")) == 2
    assert len(events(app, "token.repeated")) == 1


def test_after_ten_seconds_it_is_a_thief(
    client: FlaskClient, service: Service, clock: StoppedClock, first: dict[str, Any]
) -> None:
    second = refresh(client, service, first["refresh_token"]).get_json()
    clock.forward(seconds=10)
    assert refresh(client, service, first["refresh_token"]).status_code == 400
    assert not works(client, second["access_token"])
    assert refresh(client, service, second["refresh_token"]).status_code == 400


def test_an_older_ancestor_is_a_thief_at_once(
    client: FlaskClient, service: Service, first: dict[str, Any]
) -> None:
    second = refresh(client, service, first["refresh_token"]).get_json()
    third = refresh(client, service, second["refresh_token"]).get_json()
    assert refresh(client, service, first["refresh_token"]).status_code == 400
    assert refresh(client, service, third["refresh_token"]).status_code == 400
    assert not works(client, third["access_token"])


def test_another_request_with_the_same_token_is_no_retry(
    client: FlaskClient, service: Service, first: dict[str, Any]
) -> None:
    second = refresh(client, service, first["refresh_token"]).get_json()
    assert refresh(client, service, first["refresh_token"], scope="openid").status_code == 400
    assert not works(client, second["access_token"])


def test_another_client_gets_no_repetition_and_ends_nothing(
    app: Flask, client: FlaskClient, service: Service, first: dict[str, Any]
) -> None:
    thief = register(app, Service("thief", secret="other"))
    second = refresh(client, service, first["refresh_token"]).get_json()
    assert refresh(client, thief, first["refresh_token"]).status_code == 400
    assert works(client, second["access_token"])


def test_a_revoked_family_is_not_repeated(
    client: FlaskClient, service: Service, first: dict[str, Any]
) -> None:
    second = refresh(client, service, first["refresh_token"]).get_json()
    form = {"token": second["refresh_token"]}
    client.post("/revoke", data=form, headers=service.basic())
    assert refresh(client, service, first["refresh_token"]).status_code == 400


def test_the_kept_answer_cannot_be_read_from_the_database(
    app: Flask, client: FlaskClient, service: Service, first: dict[str, Any]
) -> None:
    second = refresh(client, service, first["refresh_token"]).get_json()
    with app.app_context(), reading() as tx:
        rows = tx.scalars(select(RefreshToken).where(RefreshToken.sealed.is_not(None))).all()
        [sealed] = [row.sealed for row in rows]
    assert sealed is not None
    for name in ("access_token", "refresh_token", "id_token"):
        assert second[name].encode() not in sealed
    assert b"access_token" not in sealed


def test_the_kept_answer_is_swept_out_once_it_is_no_more_given(
    app: Flask,
    client: FlaskClient,
    service: Service,
    clock: StoppedClock,
    first: dict[str, Any],
) -> None:
    refresh(client, service, first["refresh_token"])
    clock.forward(seconds=10)
    service.ask(app.test_client())
    with app.app_context(), reading() as tx:
        assert tx.scalars(select(RefreshToken).where(RefreshToken.sealed.is_not(None))).all() == []


def test_a_narrowed_refresh_keeps_the_whole_grant(
    client: FlaskClient, service: Service, first: dict[str, Any]
) -> None:
    narrow = refresh(client, service, first["refresh_token"], scope="openid").get_json()
    assert narrow["scope"] == "openid"
    whole = refresh(client, service, narrow["refresh_token"]).get_json()
    assert whole["scope"] == OFFLINE.replace("openid offline_access", "offline_access openid")


def test_fifty_at_once_hear_one_answer(disk_app: Flask) -> None:
    service = register(disk_app)
    client = disk_app.test_client()
    settle(disk_app, client, agreed=("openid", "offline_access"))
    token = service.tokens(client, scope=OFFLINE)["refresh_token"]
    heard: list[tuple[int, str]] = []

    def run() -> None:
        response = refresh(disk_app.test_client(), service, token)
        heard.append((response.status_code, response.text))

    threads = [threading.Thread(target=run) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 50
    assert {status for status, _ in heard} == {200}
    assert len(set(heard)) == 1
    assert len(events(disk_app, "token.issued")) == 2
    assert len(events(disk_app, "token.repeated")) == 49


def test_without_grace_one_of_fifty_is_answered(disk_app: Flask) -> None:
    from dataclasses import replace

    house = disk_app.extensions["broker"]
    oidc = house.settings.oidc.model_copy(
        update={"refresh_grace": house.clock.now - house.clock.now}
    )
    strict = house.settings.model_copy(update={"oidc": oidc})
    disk_app.extensions["broker"] = replace(house, settings=strict)
    service = register(disk_app)
    client = disk_app.test_client()
    settle(disk_app, client, agreed=("openid", "offline_access"))
    token = service.tokens(client, scope=OFFLINE)["refresh_token"]
    from tests.oidc.test_races import at_once

    statuses = at_once(disk_app, lambda c: refresh(c, service, token), times=50)
    assert sorted(statuses) == [200] + [400] * 49
