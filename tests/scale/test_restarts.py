"""A database that stops, breaks off and comes back while tokens are asked for."""

import os

import pytest

from tests.scale.cluster import Cluster
from tests.scale.load import faults, load, more
from tests.scale.machines import Machines

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

ROUNDS = int(os.environ.get("MIFTAH_RESTARTS", "1"))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_is_told_honestly_and_leaves_nothing_to_repair(
    both: Machines, database: Cluster, mode: str
) -> None:
    handed = []
    for _ in range(ROUNDS):
        with load(both) as going:
            more(going)
            database.restart(mode)
            more(going)
        handed += going.handed
        assert going.unfit == []
        print(mode, dict(going.heard), f"longest {going.slowest:.1f} s")
    assert faults(both, handed) == []


def test_while_it_is_away_every_door_says_so_at_once(both: Machines, database: Cluster) -> None:
    database.stop("fast")
    try:
        told = [
            at.get(path, cookies=both.cookies)
            for at in both.at
            for path in ("/account", f"/authorize?client_id={both.service.client_id}")
        ]
        told += [at.post("/token", headers=both.service.basic()) for at in both.at]
    finally:
        database.start()
    assert {each.status_code for each in told} <= {503, 400}
    away = [each for each in told if each.status_code == 503]
    assert away
    assert {each.headers["Retry-After"] for each in away} == {"2"}
    assert not [each for each in told if "Traceback" in each.text or "psycopg" in each.text]
    assert both.at[0].get("/account", cookies=both.cookies).status_code == 200


def test_keys_are_published_while_it_is_away(both: Machines, database: Cluster) -> None:
    database.stop("fast")
    try:
        told = [
            at.get(path)
            for at in both.at
            for path in ("/jwks", "/.well-known/openid-configuration")
        ]
    finally:
        database.start()
    assert {each.status_code for each in told} == {200}
