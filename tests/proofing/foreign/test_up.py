"""Whether a foreign scheme answers, as its operator sees it: by the last who chose it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from broker.web.tools import Tools
from tests import metering
from tests.metering import seen
from tests.proofing.foreign.conftest import Detour
from tests.verifiers.upstream.peer import Peer

UP = ("broker_upstream_up", "", "trial")


@pytest.fixture
def app(tools: Tools, tmp_path: Path) -> Iterator[Flask]:
    with metering.measured(metering.metered(tools, tmp_path)) as app:
        app.testing = True
        yield app


def test_a_scheme_that_answers_is_up(detour: Detour, tmp_path: Path) -> None:
    assert UP not in seen(tmp_path)
    detour.review()
    assert seen(tmp_path)[UP] == 1
    assert seen(tmp_path)["broker_proofings_total", "", "upstream", "accepted"] == 1


def test_a_scheme_that_is_silent_is_down_until_it_answers(
    detour: Detour, peer: Peer, tmp_path: Path
) -> None:
    peer.wrong.silent = "openid-configuration"
    path = f"/prove/{detour.handle}/upstream?scheme=trial&country=FR"
    assert detour.visit.get(path).status_code == 503
    assert seen(tmp_path)[UP] == 0
    peer.wrong.silent = ""
    detour.visit.get(path)
    assert seen(tmp_path)[UP] == 1


def test_a_scheme_that_falls_silent_while_the_person_is_there_is_down(
    detour: Detour, peer: Peer, tmp_path: Path
) -> None:
    peer.wrong.silent = "/token"
    assert detour.come_back().status_code == 422
    assert seen(tmp_path)[UP] == 0


def test_a_person_who_says_no_there_says_nothing_against_the_scheme(
    detour: Detour, peer: Peer, tmp_path: Path
) -> None:
    peer.wrong.callback = lambda said: said.update(error="access_denied")
    detour.come_back()
    assert seen(tmp_path)[UP] == 1
