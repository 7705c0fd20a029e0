"""Eight at once, on either database: what may happen once happens once."""

import threading
from typing import Any

import pytest
from flask import Flask

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


def test_one_code_is_redeemed_by_one_of_eight(disk_app: Flask, service: Service) -> None:
    client = disk_app.test_client()
    settle(disk_app, client, agreed=("openid",))
    code = service.code(client)
    statuses = at_once(disk_app, lambda c: service.redeem(c, code))
    assert sorted(statuses) == [200] + [400] * 7


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
