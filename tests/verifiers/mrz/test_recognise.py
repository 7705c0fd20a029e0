"""How many symbols a row has, and how far apart, told from what the network saw."""

import numpy as np
import pytest
from numpy.typing import NDArray

from broker.verifiers.mrz.recognise import misfit, spacing


def told(symbols: int, apart: int, before: int = 20) -> NDArray[np.float64]:
    """Two rows of half frames in which `symbols` stand `apart` from one another."""
    likely = np.full((2, 2 * before + symbols * apart, 38), -9.0)
    at: NDArray[np.float64] = before + np.arange(symbols * apart)
    is_print = np.arange(symbols * apart) % apart < 0.6 * apart
    likely[:, :, -1] = -0.01
    likely[:, at[is_print], -1] = -9
    likely[:, at[is_print], 5] = -0.01
    return likely


@pytest.mark.parametrize("apart", range(5, 17))
def test_symbols_are_as_far_apart_as_they_repeat(apart: int) -> None:
    assert spacing(told(36, apart)) == apart


@pytest.mark.parametrize("symbols", [30, 36, 44])
def test_a_row_divides_best_into_the_symbols_that_it_has(symbols: int) -> None:
    counts = (30, 36, 44)
    lost = misfit(told(symbols, 9, 80), counts)
    assert lost.shape == (2, 3)
    assert counts[int(lost[0].argmin())] == symbols
    assert lost[0].min() == 0


def test_a_row_with_no_room_for_so_many_symbols_does_not_have_them() -> None:
    assert np.isinf(misfit(told(20, 9, 9), (44,))).all()
