"""Pictures at full load: readers are bounded, and tokens do not wait for them (make scale)."""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
import requests

from tests.deploy.running import ROOT, children
from tests.people import forms
from tests.scale.cluster import Cluster
from tests.scale.load import load, more
from tests.scale.machines import LONG, WORKERS, Caller, Machines, Wanderer, machines
from tests.service import settle

pytestmark = [pytest.mark.slow, pytest.mark.postgres, LONG]

PEOPLE = int(os.environ.get("MIFTAH_PICTURES", "24"))
TOKENS = 20
PICTURE = (ROOT / "broker" / "demo" / "static" / "specimen-passport.jpg").read_bytes()
DOOR = "/prove/account/mrz"


@pytest.fixture(scope="module")
def both(database: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Two machines at which one person may try often, with a specimen."""
    allowed = {
        "BROKER_PROOFING__ATTEMPTS_PER_HOUR": "100000",
        "BROKER_PROOFING__ACCEPT_SPECIMENS": "true",
    }
    with machines(tmp_path_factory.mktemp("pictures"), database.url, **allowed) as running:
        yield running


def show(at: Caller, session: str) -> int:
    """The status of the answer to a picture that this person shows at this machine."""
    browser = Wanderer([at], {"__Host-miftah_session": session})
    form = next(form for form in forms(browser.get(DOOR).text) if "attempt" in form.fields)
    sent = {"photograph": ("passport.jpg", PICTURE, "image/jpeg")}
    return at.post(DOOR, data=form.fields, files=sent, cookies=browser.cookies).status_code


def readers(both: Machines) -> set[int]:
    """The reading processes of all workers."""
    found = set()
    for worker in {pid for broker in both.brokers for pid in broker.workers()}:
        found |= {pid for thread in threads_of(worker) for pid in children(worker, thread)}
    return found


def threads_of(pid: int) -> list[int]:
    return [int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]


def test_tokens_are_handed_out_while_every_reader_is_at_work(both: Machines) -> None:
    over, told, most = threading.Event(), Counter[int](), 0

    def go_on(at: Caller, session: str) -> None:
        while not over.is_set():
            try:
                told[show(at, session)] += 1
            except requests.RequestException:
                told[0] += 1

    turn = cycle(both.at)
    people = [settle(both.app, both.app.test_client()) for _ in range(PEOPLE)]
    crowd = [
        threading.Thread(target=go_on, args=(next(turn), each.session_secret)) for each in people
    ]
    for each in crowd:
        each.start()
    try:
        with load(both) as going:
            for _ in range(4):
                more(going, TOKENS // 4)
                most = max(most, len(readers(both)))
    finally:
        over.set()
        for each in crowd:
            each.join()
    print(f"pictures {dict(told)}, tokens {dict(going.heard)}, longest {going.slowest:.1f} s")
    assert 1 <= most <= 2 * WORKERS
    assert going.unfit == []
    # Read, or refused because too many wait; on a busy machine also because it took too long.
    assert set(told) <= {303, 422}
