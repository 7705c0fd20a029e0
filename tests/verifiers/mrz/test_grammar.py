"""The grammar of every place: what may stand there, and what guards it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.verifiers.mrz.check_digits import check_digit
from broker.verifiers.mrz.grammar import CODES, SYMBOLS, cells, misfits, twins, value
from broker.verifiers.mrz.layouts import LAYOUTS, TD1, TD3, Layout, layout_of

SHARED = Path("../shared/mrz/labels.jsonl")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.format)
def test_every_place_of_a_zone_has_a_grammar(layout: Layout) -> None:
    rows = cells(layout)
    assert [len(row) for row in rows] == [layout.width] * layout.lines
    for cell in (cell for row in rows for cell in row):
        assert (cell.field is None) != (cell.digit_of is None)
        assert set(cell.symbols) <= set(SYMBOLS)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.format)
def test_there_is_one_place_for_every_check_digit(layout: Layout) -> None:
    digits = [cell.digit_of for row in cells(layout) for cell in row if cell.digit_of]
    assert sorted(digits) == sorted(guard.name for guard in layout.guards)


def test_a_place_names_the_digits_that_guard_it() -> None:
    assert cells(TD3)[1][0].guards == ("document_number", "composite")
    assert cells(TD3)[1][20].guards == ()  # the sex
    assert cells(TD3)[0][5].guards == ()  # names
    assert cells(TD1)[1][6].guards == ("composite",)  # the digit of the birth date


def test_a_letter_in_a_date_does_not_fit() -> None:
    lines = (
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO74O8122F1204159ZE184226B<<<<<10",
    )
    assert list(misfits(TD3, lines)) == [(2, 16)]


@given(st.text(SYMBOLS, max_size=9), st.sampled_from(SYMBOLS), st.text(SYMBOLS, max_size=9))
def test_twins_are_what_a_check_digit_cannot_tell_apart(head: str, old: str, tail: str) -> None:
    unseen = {s for s in SYMBOLS if check_digit(head + s + tail) == check_digit(head + old + tail)}
    assert unseen == set(twins(old))


def test_a_symbol_outside_the_alphabet_is_worth_nothing() -> None:
    with pytest.raises(ValueError, match="substring"):
        value("Ä")


def test_codes_of_states_stand_with_their_fillers() -> None:
    assert {"D<<", "MAR", "GBD", "UNO", "XXA", "EUE", "RKS", "XOM", "XPO", "UTO"} <= CODES


@pytest.mark.skipif(not SHARED.exists(), reason="the shared pictures are not here")
def test_every_labelled_document_fits() -> None:
    labels = [json.loads(row) for row in SHARED.read_text().splitlines()]
    for lines in (tuple(label["lines"]) for label in labels if label["expect"] == "read"):
        layout = layout_of(lines)
        assert layout is not None
        assert list(misfits(layout, lines)) == []
