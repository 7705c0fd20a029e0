"""Two machines of two workers on one PostgreSQL: what one knows, the other knows.

pgbouncer stands between, in transaction mode, with far fewer connections than there are threads.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from broker import clock, keyring
from tests import people
from tests.authentication.authenticator import SoftAuthenticator
from tests.deploy.running import Running, until
from tests.scale.cluster import Cluster, pooled
from tests.scale.load import digest, faults, load, minted, more, redeemed, settled
from tests.scale.machines import WORKERS, Machines, Wanderer, machines
from tests.service import VERIFIER, Service

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

AT_ONCE = int(os.environ.get("MIFTAH_AT_ONCE", "50"))
CODES = int(os.environ.get("MIFTAH_CODES", "1"))
KILLS = int(os.environ.get("MIFTAH_SCALE_KILLS", "1"))
CONNECTIONS = 6
CRASH_LOOP_S = 6
"""Who dies sooner again ends the server, and systemd starts another."""
BOUND_S = 6
"""From a new key file to its place in /jwks at every worker; each looks every two seconds."""


@pytest.fixture(scope="module")
def both(database: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("machines")
    with pooled(database, CONNECTIONS) as url:
        said = {"BROKER_DATABASE_URL": url, "BROKER_DATABASE__POOLER": "true"}
        with machines(folder, database.url, **said) as running:
            yield running


def test_a_code_minted_at_one_machine_is_redeemed_at_the_other(both: Machines) -> None:
    first, second = both.at
    told = redeemed(both, second, minted(both, first))
    assert told.status_code == 200, told.text
    who = first.get("/userinfo", headers={"Authorization": f"Bearer {told.json()['access_token']}"})
    assert who.status_code == 200
    settled(both, [digest(told.json()["id_token"])])


@pytest.mark.parametrize("n", range(CODES))
def test_of_many_who_bring_one_code_at_once_one_succeeds(both: Machines, n: int) -> None:
    code = minted(both, both.at[n % 2])
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        told = list(crowd.map(lambda i: redeemed(both, both.at[i % 2], code), range(AT_ONCE)))
    statuses = sorted(each.status_code for each in told)
    assert statuses == [200] + [400] * (AT_ONCE - 1)
    assert {each.json().get("error") for each in told if each.status_code == 400} == {
        "invalid_grant"
    }


def test_a_person_whose_every_request_reaches_another_machine_enrols_and_signs_in(
    both: Machines,
) -> None:
    browser: Any = Wanderer(both.at)
    key = people.enrol(
        browser, authenticator=SoftAuthenticator(both.issuer, urlsplit(both.issuer).hostname or "")
    )
    again: Any = Wanderer(both.at[::-1])
    people.sign_in(again, key)
    assert [each.get("/account", cookies=again.cookies).status_code for each in both.at] == [
        200
    ] * 2


def test_a_pooler_may_change_connections_between_transactions(both: Machines) -> None:
    with load(both, threads=8) as going:
        more(going, 40)
    assert {status for _, status in going.heard} == {200, 303}, going.unfit
    assert faults(both, going.handed) == []


def test_a_parked_request_goes_on_at_the_other_machine(both: Machines) -> None:
    browser = Wanderer(both.at, dict(both.cookies))
    arguments = urlencode(both.service.arguments(prompt="consent"))
    asked = browser.get(f"/authorize?{arguments}")
    assert asked.status_code == 303
    for _ in range(2):
        page = browser.get(asked.location)
        assert (page.status_code, "consent" in asked.location) == (200, True), page.text


def test_a_new_key_is_known_to_every_worker_and_the_old_one_stays(both: Machines) -> None:
    told = redeemed(both, both.at[0], minted(both, both.at[0]))
    before = {each["kid"] for each in both.at[0].get("/jwks").json()["keys"]}
    since = clock.utcnow() + timedelta(hours=1)
    made = keyring.rotate(both.folders[0] / "keys", "ES256", since, keyring.Unlock())
    shutil.copy2(made, both.folders[1] / "keys" / made.name)
    time.sleep(BOUND_S)
    seen = [
        frozenset(key["kid"] for key in at.get("/jwks").json()["keys"])
        for at in both.at
        for _ in range(10)
    ]
    assert len(set(seen)) == 1
    assert before < seen[0]
    assert len(seen[0]) == len(before) + 1
    assert told.status_code == 200


def test_what_is_said_of_a_client_at_one_machine_holds_at_every_worker_at_once(
    both: Machines,
) -> None:
    said = both.tell(
        *("client", "register", "--name", "en=New", "--purpose", "en=To try."),
        *("--scope", "openid", "--redirect-uri", "https://new.test/callback"),
    )
    words = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    client, secret = words["client_id"], words["client_secret"]
    assert errors(both, client, secret) == {"invalid_grant"}  # known; the code is no code
    told = both.tell("client", "secret", client)
    fresh = told.removeprefix("client_secret ").strip()
    assert errors(both, client, secret) == {"invalid_client"}
    assert errors(both, client, fresh) == {"invalid_grant"}
    both.tell("client", "remove", client)
    assert errors(both, client, fresh) == {"invalid_client"}


def errors(both: Machines, client: str, secret: str) -> set[str]:
    """What this client is told at the token endpoint, by every worker if chance is fair."""
    form = {
        "grant_type": "authorization_code",
        "code": "none",
        "redirect_uri": "https://new.test/callback",
        "code_verifier": VERIFIER,
    }
    basic = Service(client, secret).basic()
    answers = [at.post("/token", data=form, headers=basic) for at in both.at for _ in range(8)]
    return {each.json()["error"] for each in answers}


def test_a_worker_that_dies_takes_no_entry_with_it(both: Machines) -> None:
    handed = []
    for n in range(KILLS):
        time.sleep(CRASH_LOOP_S if n else 0)
        # What was asked of it in that moment, the proxy answers with 502.
        with both.working() as behind, load(both, at=[both.front], also=502) as going:
            more(going)
            behind[n % 2].kill()
            for broker in both.brokers:
                os.kill(min(broker.workers()), signal.SIGKILL)
            more(going)
            settled(both, list(going.handed))
        until(lambda: all(len(broker.workers()) == WORKERS for broker in both.brokers))
        handed += going.handed
        assert going.unfit == []
    assert faults(both, handed) == []


@pytest.mark.skipif(KILLS == 1, reason="half a minute: make scale")
def test_new_workers_take_over_at_both_machines_without_a_refusal(both: Machines) -> None:
    before = at_work(both)
    with load(both, at=[both.front]) as going:
        for broker in both.brokers:
            old = broker.workers()
            broker.signal(signal.SIGHUP)
            until(partial(is_replaced, broker, old), 90)
            more(going)
    assert going.unfit == []
    assert not at_work(both) & before


def at_work(both: Machines) -> set[int]:
    return {pid for broker in both.brokers for pid in broker.workers()}


def is_replaced(broker: Running, old: set[int]) -> bool:
    return len(broker.workers()) == WORKERS and not broker.workers() & old
