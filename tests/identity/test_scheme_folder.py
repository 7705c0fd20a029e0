"""The folder of schemes: read at start, and again at a word."""

import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from broker.identity.scheme import Scheme, SchemeRejected
from broker.identity.scheme_folder import HeldSchemes, load, mark
from tests.conftest import StoppedClock
from tests.identity.test_scheme import GOOD


def pleased(_: Iterable[Scheme]) -> None:
    """Judge nothing."""


def put(folder: Path, name: str, text: str = GOOD) -> None:
    (folder / f"{name}.toml").write_text(text, "utf-8")


def test_no_folder_no_schemes(tmp_path: Path) -> None:
    assert load(tmp_path / "none", pleased) == {}


def test_one_file_is_one_scheme(tmp_path: Path) -> None:
    put(tmp_path, "one")
    put(tmp_path, "two")
    assert set(load(tmp_path, pleased)) == {"one", "two"}


def test_what_is_not_enabled_is_read_and_not_in_force(tmp_path: Path) -> None:
    put(tmp_path, "off", GOOD.replace("enabled = true", ""))
    assert load(tmp_path, pleased) == {}
    put(tmp_path, "off", GOOD.replace("enabled = true", "countries = 1"))
    with pytest.raises(SchemeRejected):
        load(tmp_path, pleased)


def test_a_mistake_stops_the_start(tmp_path: Path, clock: StoppedClock) -> None:
    put(tmp_path, "bad", "")
    with pytest.raises(SchemeRejected, match="bad"):
        HeldSchemes(tmp_path, clock, pleased)


def test_a_new_file_is_in_force_after_the_word_and_not_before(
    tmp_path: Path, clock: StoppedClock
) -> None:
    held = HeldSchemes(tmp_path, clock, pleased)
    put(tmp_path, "new")
    clock.forward(minutes=1)
    assert held() == {}
    mark(tmp_path)
    assert held() == {}  # looked a moment ago
    clock.forward(seconds=2)
    assert set(held()) == {"new"}


def test_a_mistake_later_changes_nothing_and_is_in_the_log(
    tmp_path: Path, clock: StoppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "one")
    held = HeldSchemes(tmp_path, clock, pleased)
    put(tmp_path, "two", "protocol = 1")
    mark(tmp_path)
    clock.forward(seconds=2)
    with caplog.at_level(logging.WARNING):
        assert set(held()) == {"one"}
    assert "two.toml" in caplog.text
