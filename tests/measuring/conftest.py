"""Folders in which nobody has counted yet."""

from pathlib import Path

import pytest

from broker import entropy
from broker.measuring.shared import SharedMeter
from tests.conftest import StoppedClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


@pytest.fixture
def meter(folder: Path, clock: StoppedClock) -> SharedMeter:
    return SharedMeter(folder, clock, entropy.system)
