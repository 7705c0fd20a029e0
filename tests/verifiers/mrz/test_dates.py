"""Two-digit years, and parts of dates that nobody knows."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.verifiers.mrz.dates import parse_birth, parse_expiry

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("740812", "1974-08-12"),
        ("261123", "2026-11-23"),
        ("261124", "1926-11-24"),
        ("000229", "2000-02-29"),
        ("74<<<<", "1974-00-00"),
        ("7408<<", "1974-08-00"),
        ("<<0812", "0000-08-12"),
        ("<<<<<<", "0000-00-00"),
        ("26<<<<", "2026-00-00"),
        ("27<<<<", "1927-00-00"),
    ],
)
def test_a_birth_is_never_in_the_future_and_never_guessed(text: str, expected: str) -> None:
    assert str(parse_birth(text, TODAY)) == expected


@pytest.mark.parametrize(
    "text", ["741312", "740832", "740230", "7<0812", "74O812", "740<12", "<<0230"]
)
def test_an_impossible_birth_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the kind is all that is promised
        parse_birth(text, TODAY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("350917", date(2035, 9, 17)),
        ("371231", date(2037, 12, 31)),
        ("381231", date(1938, 12, 31)),
        ("991231", date(1999, 12, 31)),
        ("200229", date(2020, 2, 29)),
    ],
)
def test_an_expiry_lies_within_what_a_passport_may_last(text: str, expected: date) -> None:
    assert parse_expiry(text, TODAY, 11) == expected


@pytest.mark.parametrize("text", ["35<<<<", "<<<<<<", "350231", "35091O", "３５０９１７"])
def test_an_expiry_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the kind is all that is promised
        parse_expiry(text, TODAY, 11)


@given(st.text(alphabet="0123456789<A", min_size=6, max_size=6))
def test_dates_raise_nothing_but_value_errors(text: str) -> None:
    for read in (lambda: parse_birth(text, TODAY), lambda: parse_expiry(text, TODAY, 11)):
        try:
            read()
        except ValueError:
            continue
