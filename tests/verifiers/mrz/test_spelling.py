"""From a reader's text to lines: the grammar mends what it can, and no more."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broker.verifiers.mrz.layouts import layout_of
from broker.verifiers.mrz.spelling import has_rows, holds, share_holding, zone_in
from tests.verifiers.mrz.pictures import GOOD
from tests.verifiers.mrz.strategies import documents, holders
from tests.verifiers.mrz.test_zone import FRENCH_CARD, ICAO_MRV_B, ICAO_TD1, ICAO_TD2, ICAO_TD3
from tests.verifiers.mrz.writer import Document, Holder, td3

TEXT = "\n".join(GOOD)


@pytest.mark.parametrize("lines", [GOOD, ICAO_TD1, ICAO_TD2, ICAO_TD3, ICAO_MRV_B, FRENCH_CARD])
def test_a_clean_text_stays_as_it_is(lines: tuple[str, ...]) -> None:
    assert zone_in("\n".join(lines)) == lines


@given(holders(), documents("P", optional=14))
def test_any_clean_passport_stays_as_it_is(holder: Holder, document: Document) -> None:
    # Optional data of letters alone that fillers are misread as is taken for fillers.
    assume(not document.optional or re.search(r"[0-9]", document.optional))
    lines = td3(holder, document)
    assert zone_in("PASSPORT\n" + "\n".join(lines)) == lines


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("UTOMARLOWE", "UT0MARL0WE"),
        ("UTO8904126F", "UT08904126F"),
        ("8904126F", "89O4I26F"),
        ("CLAIRE<<<<<<<", "CLAIRE<<<"),
        ("CLAIRE<<<<<<<", "CLAIRE<<<<<<<<<<"),
        ("CLAIRE<<<<<<<", "CLAIRE<<<K<<<"),
        ("<<<4", "<<K4"),
        ("3509179<<<<<<<<<", "3509179<<K<<<C<<"),
        ("UT4037215", "UT4O37215"),
        ("P<UTO", "p<uto"),
        ("<<INES", "\u00abINES"),
        ("P<UTO", "P < UTO"),
    ],
)
def test_usual_misreadings_are_mended(said: str, read: str) -> None:
    assert said in TEXT
    assert zone_in(TEXT.replace(said, read, 1)) == GOOD


@pytest.mark.parametrize(
    ("said", "read"),
    [("UT4037215", "UT4037216"), ("UT4037215", "UT4037Z15"), ("350917", "350918")],
)
def test_nothing_is_mended_to_please_a_check_digit(said: str, read: str) -> None:
    lines = zone_in(TEXT.replace(said, read, 1))
    assert lines is not None
    assert read in lines[1]
    assert not holds(lines)


def test_a_letter_lost_in_a_full_line_makes_no_zone() -> None:
    full = td3(Holder(surname="A" * 20, given_names="B" * 30), Document(optional="A" * 14))
    assert zone_in(f"{full[0][1:]}\n{full[1]}") is None


def test_what_is_no_zone_holds_nothing() -> None:
    assert share_holding(("P<UTO", "1")) == 0


@pytest.mark.parametrize("text", ["", "PASSPORT\nUTOPIA", "<" * 44, "A" * 44 + "\n" + "B" * 44])
def test_other_print_is_no_zone(text: str) -> None:
    assert zone_in(text) is None


def test_short_rows_are_not_worth_another_look() -> None:
    assert not has_rows("UTOPIA\nPASSPORT")
    assert has_rows(TEXT)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    lines = zone_in(text)
    assert lines is None or layout_of(lines) is not None


@given(st.lists(st.text("PVIC<UTOK0189", min_size=26, max_size=46), max_size=4).map("\n".join))
def test_what_comes_out_always_has_a_known_shape(text: str) -> None:
    lines = zone_in(text)
    assert lines is None or layout_of(lines) is not None
