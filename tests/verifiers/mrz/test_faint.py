"""Which letters a person is asked to look at."""

from datetime import date

import pytest

from broker.verifiers.mrz.answer import Sureness
from broker.verifiers.mrz.faint import MOST, faint
from broker.verifiers.mrz.zone import parse
from tests.verifiers.mrz.writer import Document, Holder, td3

TODAY = date(2026, 11, 23)
LINES = td3(Holder("EL AMRANI", "SALMA NOUR", "MAR"), Document(state="MAR"))
"""P<MAREL<AMRANI<<SALMA<NOUR<<<… : places of line 1, from 0, are counted by hand below."""


def told(line: int = 0, vague: dict[int, int] | None = None) -> Sureness:
    """All is certain but these places of a line."""
    rows = [[1000] * 44, [1000] * 44]
    for place, sure in (vague or {}).items():
        rows[line][place] = sure
    return tuple(map(tuple, rows))


def looked_at(sure: Sureness) -> dict[str, tuple[int, ...]]:
    return dict(faint(parse(LINES, TODAY), sure))


def test_letters_seen_least_well_are_named_by_their_place_in_the_name() -> None:
    assert looked_at(told(vague={8: 990, 18: 985})) == {"family_name": (3,), "given_name": (2,)}


def test_letters_seen_well_enough_are_not_named() -> None:
    assert looked_at(told(vague={8: 999})) == {}


def test_what_check_digits_guard_is_left_to_them() -> None:
    assert looked_at(told(1, {0: 300, 13: 300, 21: 300})) == {}


@pytest.mark.parametrize(
    ("filler", "letter"),
    [
        (7, {"family_name": (1,)}),
        (14, {"family_name": (8,)}),
        (15, {"family_name": (8,)}),
        (21, {"given_name": (4,)}),
        (26, {"given_name": (9,)}),
        (27, {"given_name": (9,)}),
    ],
)
def test_where_a_letter_may_be_missing_the_one_before_is_named(
    filler: int, letter: dict[str, tuple[int, ...]]
) -> None:
    assert looked_at(told(vague={filler: 900})) == letter


def test_fillers_far_behind_the_names_are_nobodys() -> None:
    assert looked_at(told(vague={40: 900})) == {}


def test_of_many_letters_the_least_sure_are_named() -> None:
    vague = dict(zip(range(16, 21), (960, 920, 930, 940, 950), strict=True))
    assert looked_at(told(vague=vague)) == {"given_name": (1, 2, 3, 4)}
    assert MOST == 4


@pytest.mark.parametrize("sure", [(), ((), ()), ((5,) * 6, ())], ids=["none", "empty", "short"])
def test_a_reader_that_does_not_tell_is_not_asked(sure: Sureness) -> None:
    assert set(looked_at(sure)) <= {"family_name"}
