"""Fifty at once, on either database: what may happen once happens once.

The other races of fifty stand with what they are about: test_pushed, test_refreshing, test_dpop,
test_client_assertion.
"""

import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.service import Service, register, settle


def at_once(app: Flask, act: Any, times: int = 8) -> list[int]:
    gate, statuses = threading.Barrier(times), []

    def run() -> None:
        client = app.test_client()
        gate.wait()
        statuses.append(act(client).status_code)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@pytest.fixture
def service(disk_app: Flask) -> Service:
    return register(disk_app)


def test_one_code_is_redeemed_by_one_of_fifty(disk_app: Flask, service: Service) -> None:
    client = disk_app.test_client()
    settle(disk_app, client, agreed=("openid",))
    code = service.code(client)
    statuses = at_once(disk_app, lambda c: service.redeem(c, code), times=50)
    assert sorted(statuses) == [200] + [400] * 49


def test_after_fifty_redemptions_of_one_code_nothing_it_bought_is_left(
    disk_app: Flask, service: Service
) -> None:
    client = disk_app.test_client()
    settle(disk_app, client, agreed=("openid",))
    code, heard = service.code(client), []

    def redeem(other: FlaskClient) -> TestResponse:
        response = service.redeem(other, code)
        heard.append(response.get_json())
        return response

    at_once(disk_app, redeem, times=50)
    (bought,) = [told for told in heard if "access_token" in told]
    bearer = {"Authorization": f"Bearer {bought['access_token']}"}
    assert client.get("/userinfo", headers=bearer).status_code == 401


def test_the_whole_protocol_works_on_either_database(disk_app: Flask, service: Service) -> None:
    client = disk_app.test_client()
    settle(disk_app, client, agreed=("openid",))
    bearer = {"Authorization": f"Bearer {service.tokens(client)['access_token']}"}
    assert list(client.get("/userinfo", headers=bearer).get_json()) == ["sub"]


def test_a_failing_record_means_no_token(
    disk_app: Flask, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from broker.oidc import minting

    client = disk_app.test_client()
    settle(disk_app, client, agreed=("openid",))
    code = service.code(client)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(minting, "record", fail)
        with pytest.raises(OSError, match="disk full"):
            service.redeem(client, code)
    # Nothing was spent and nothing was handed out: the very same code still works.
    assert service.redeem(client, code).status_code == 200
