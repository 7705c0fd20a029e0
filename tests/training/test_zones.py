"""Invented zones are such as states could issue."""

import numpy as np
import pytest

from broker.verifiers.mrz.belief import is_possible
from broker.verifiers.mrz.layouts import layout_of
from training import zones


@pytest.mark.parametrize("kind", zones.FORMATS)
def test_every_invented_zone_is_valid_and_of_its_format(kind: str) -> None:
    rng = np.random.default_rng(3)
    for lines in (zones.random_zone(rng, kind) for _ in range(50)):
        layout = layout_of(lines)
        assert layout is not None
        assert layout.format == kind
        assert is_possible(lines)


def test_one_seed_gives_one_zone() -> None:
    one, other = (zones.random_zone(np.random.default_rng(7)) for _ in range(2))
    assert one == other
