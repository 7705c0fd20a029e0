"""What is known before a document is seen tips the scales where its picture leaves them level."""

import numpy as np
import pytest

from broker.verifiers.mrz.grammar import SYMBOLS
from broker.verifiers.mrz.lattice import decode
from broker.verifiers.mrz.layouts import IDFRA, LAYOUTS, MRV_A, TD1, TD3
from broker.verifiers.mrz.origins import KNOWN, handicap, state_columns
from tests.verifiers.mrz.test_lattice import SPECIMEN, seen


def doubted(row: int, column: int, other: str, odds: float) -> tuple[str, ...]:
    """The specimen read with `other` at one place `odds` times as likely as what stands there."""
    likely = seen(SPECIMEN)
    own = SYMBOLS.index(SPECIMEN[row][column])
    likely[row, column, SYMBOLS.index(other)] = likely[row, column, own] + np.log(odds)
    decoded = decode(likely)
    assert decoded is not None
    return decoded.lines


def test_a_code_that_exists_is_believed_before_one_that_no_list_has() -> None:
    assert doubted(1, 10, "V", 20) == SPECIMEN


def test_a_code_that_no_list_has_is_believed_when_it_is_plain() -> None:
    assert doubted(1, 10, "V", 1000)[1][10:13] == "VTO"


def test_two_codes_that_exist_are_told_apart_by_their_looks_alone() -> None:
    likely = seen((SPECIMEN[0], SPECIMEN[1].replace("UTO", "MLI")), 0.99999)
    likely[1, 12, SYMBOLS.index("T")] = likely[1, 12].max() + np.log(2)
    decoded = decode(likely)
    assert decoded is not None
    assert decoded.lines[1][10:13] == "MLT"
    assert decoded.share == pytest.approx(np.log(2 / 3), abs=0.05)


def test_what_is_known_of_codes_is_no_correction_by_check_digits() -> None:
    likely = seen(SPECIMEN)
    likely[1, 10, SYMBOLS.index("V")] = likely[1, 10].max() + np.log(20)
    decoded = decode(likely)
    assert decoded is not None
    assert decoded.cost == pytest.approx(0, abs=1e-6)


def test_an_unlikely_symbol_stays_unlikely_by_its_looks() -> None:
    likely = seen(SPECIMEN)
    likely[1, 10, SYMBOLS.index("V")] = likely[1, 10].max() + KNOWN - 0.1
    likely[1, 10] -= np.logaddexp.reduce(likely[1, 10])
    decoded = decode(likely)
    assert decoded is not None
    assert decoded.lines == SPECIMEN
    assert decoded.likely[1][10] < -4


def test_a_visa_is_not_believed_where_the_digits_of_a_passport_hold() -> None:
    assert doubted(0, 0, "V", 20) == SPECIMEN
    assert doubted(0, 0, "V", 1000)[0][0] == "V"


def test_a_format_has_against_it_a_tenth_for_each_digit_less() -> None:
    assert handicap(TD3) == handicap(TD1) == 0
    assert handicap(MRV_A) == pytest.approx(2 * np.log(10))
    assert all(handicap(layout) >= 0 for layout in LAYOUTS)


def test_codes_under_a_check_digit_are_left_to_it() -> None:
    assert state_columns(IDFRA) == ()
    assert state_columns(TD3) == ((0, 2), (1, 10))
