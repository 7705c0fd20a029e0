"""National letters and their shadows in the zone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.verifiers.mrz.grammar import LETTERS
from broker.verifiers.mrz.transliteration import ARABIC, CYRILLIC, LATIN, may_be, spellings
from tests.verifiers.mrz.strategies import phrases


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Müller", "MUELLER"),
        ("Müller", "MULLER"),
        ("Åse Ærø", "AASE AEROE"),
        ("Weiß", "WEISS"),
        ("Núñez", "NUNEZ"),
        ("Þórður", "THORDUR"),
        ("O’Connor", "OCONNOR"),
        ("O’Connor", "O CONNOR"),
        ("Saint-Exupéry", "SAINT EXUPERY"),
        ("Łukasz", "LUKASZ"),
        ("Щукин", "SHCHUKIN"),
        ("محمد", "MXHMD"),
        ("مُحَمَّد", "MXHMD"),
        ("Çelik", "CELIK"),
        ("ıSTANBULLU", "ISTANBULLU"),
    ],
)
def test_a_name_may_be_its_shadow(name: str, zone: str) -> None:
    assert may_be(name, zone)


@pytest.mark.parametrize(
    ("name", "zone"), [("Müller", "MILLER"), ("Anna", "ANNE"), ("王", "WANG"), ("", "A")]
)
def test_another_name_may_not(name: str, zone: str) -> None:
    assert not may_be(name, zone)


def test_a_truncated_name_is_compared_by_its_beginning() -> None:
    assert may_be("Papandropoulous", "PAPANDROP", is_truncated=True)
    assert not may_be("Papandropoulous", "PAPANDROP")


@given(phrases(3))
def test_a_name_of_plain_letters_is_its_own_shadow(name: str) -> None:
    assert spellings(name) == {name}


@given(st.text(max_size=60))
def test_no_name_raises_and_every_spelling_fits_a_zone(name: str) -> None:
    assert set("".join(spellings(name))) <= {*LETTERS, " "}


def test_tables_hold_letters_of_the_zone_only() -> None:
    for table in (LATIN, CYRILLIC, ARABIC):
        assert {symbol for ways in table.values() for way in ways for symbol in way} <= {*LETTERS}
