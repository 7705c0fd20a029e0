from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.desk.statistics import SMALLEST, suppress


@given(st.lists(st.integers(0, 30), max_size=8))
def test_no_small_number_is_told(counts: list[int]) -> None:
    told, _ = suppress(counts)
    assert all(n is None or n >= SMALLEST for n in told)
    assert all(n is None or n == counts[place] for place, n in enumerate(told))


@given(st.lists(st.integers(1, 9), max_size=4))
def test_no_hidden_number_can_be_brought_back(counts: list[int]) -> None:
    told, total = suppress(counts)
    hidden = [place for place, n in enumerate(told) if n is None]
    if not hidden or total is None:
        return
    missing = total - sum(n for n in told if n is not None)
    # Every way in which the hidden ones could make up what is missing.
    ways = [w for w in product(range(1, missing + 1), repeat=len(hidden)) if sum(w) == missing]
    for at, place in enumerate(hidden):
        if counts[place] < SMALLEST:
            assert len({way[at] for way in ways}) > 1, (counts, told, total)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], ([], 0)),
        ([5, 6], ([5, 6], 11)),
        ([4, 6, 9], ([None, None, 9], 19)),
        ([1, 1, 9], ([None, None, None], 11)),
        ([3], ([None], None)),
        ([2, 3, 50], ([None, None, 50], 55)),
    ],
)
def test_what_would_betray_a_small_number_is_withheld_with_it(
    counts: list[int], expected: tuple[list[int | None], int | None]
) -> None:
    assert suppress(counts) == expected
