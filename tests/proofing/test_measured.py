"""What an operator sees of the ways of proving: how long, how well, and who does not answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from broker.app import FOREIGN
from broker.proofing.measured import DOWN
from broker.web.tools import Tools
from tests import metering
from tests.metering import seen
from tests.proofing.conftest import Desk


@pytest.fixture
def tools(tools: Tools, tmp_path: Path) -> Tools:
    return metering.metered(tools, tmp_path)


@pytest.fixture
def app(tools: Tools) -> Iterator[Flask]:
    with metering.measured(tools) as app:
        app.testing = True
        yield app


def test_what_was_accepted_and_what_was_refused_is_counted(desk: Desk, tmp_path: Path) -> None:
    desk.present()
    desk.present(b"")
    rows = seen(tmp_path)
    assert rows["broker_proofings_total", "", "letter", "accepted"] == 1
    assert rows["broker_proofings_total", "", "letter", "refused"] == 1
    assert rows["broker_proofing_seconds", "sum", "letter"] > 0


def test_a_way_that_leads_to_no_scheme_is_not_up_or_down(desk: Desk, tmp_path: Path) -> None:
    desk.present()
    assert "broker_upstream_up" not in {row[0] for row in seen(tmp_path)}


def test_every_code_of_a_scheme_that_is_down_is_one_of_a_verifier() -> None:
    assert set().union(*(made.refusals for made in FOREIGN)) >= DOWN
