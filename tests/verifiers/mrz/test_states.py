"""Codes of issuers."""

import pytest

from broker.verifiers.mrz.states import STATES, is_known

SPECIAL = (
    *("D", "GBD", "GBN", "GBO", "GBP", "GBS", "UNO", "UNA", "UNK", "XXA", "XXB", "XXC", "XXX"),
    *("XOM", "XPO", "XBA", "XIM", "XCC", "XCO", "XEC", "XMP", "XDC", "EUE", "RKS", "UTO", "MAR"),
)


@pytest.mark.parametrize("code", SPECIAL)
def test_special_codes_are_known(code: str) -> None:
    assert is_known(code)


@pytest.mark.parametrize("code", ["MAK", "DEU ", "", "UT0", "ZZZ", "D<<"])
def test_others_are_not(code: str) -> None:
    assert not is_known(code)


def test_all_of_iso_3166_is_there() -> None:
    assert len([code for code in STATES if len(code) == 3]) >= 249
