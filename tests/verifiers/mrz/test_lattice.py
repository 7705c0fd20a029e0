"""Decoding places into zones: exact, constrained by check digits, honest about its rivals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from broker.identity.evidence import Outcome
from broker.verifiers.mrz.belief import BELIEF, pooled
from broker.verifiers.mrz.check_digits import check_digits
from broker.verifiers.mrz.grammar import SYMBOLS, twins
from broker.verifiers.mrz.lattice import decode
from broker.verifiers.mrz.layouts import layout_of
from tests.verifiers.mrz import writer
from tests.verifiers.mrz.strategies import documents, holders

Lines = tuple[str, ...]

SPECIMEN = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
LONG = (
    "I<UTOD23145890<7349<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)
"""The example of 9303-5 for a document number longer than nine symbols."""
LONG_BEYOND_OTHERS = writer.td2(writer.Holder(), writer.Document("I", number="D231458907349X"))
"""TD2 has the dates between a number and its rest."""

WITH_O = (SPECIMEN[0].replace("ERIKSSON", "EOIKSSON"), SPECIMEN[1])


def seen(lines: Lines, sure: float = 0.98) -> NDArray[np.float64]:
    """What the network would tell of a clear picture of `lines`."""
    likely = np.full((len(lines), len(lines[0]), 37), np.log((1 - sure) / 36))
    for row, line in enumerate(lines):
        for column, symbol in enumerate(line):
            likely[row, column, SYMBOLS.index(symbol)] = np.log(sure)
    return likely


def blurred(lines: Lines, row: int, column: int, looks: dict[str, float]) -> NDArray[np.float64]:
    """As `seen`, but one place looks like several symbols, each so likely."""
    likely = seen(lines)
    likely[row, column] = np.log(1e-4)
    for symbol, chance in looks.items():
        likely[row, column, SYMBOLS.index(symbol)] = np.log(chance)
    return likely


def outcomes(lines: Lines) -> set[Outcome]:
    """What becomes of the check digits of `lines`."""
    layout = layout_of(lines)
    assert layout is not None
    return {check.outcome for check in check_digits(layout, lines)}


@st.composite
def zones(draw: st.DrawFn) -> Lines:
    holder = draw(holders())
    kind = draw(st.sampled_from(("TD3", "TD1", "TD2", "MRV-A", "MRV-B")))
    if kind == "TD3":
        return writer.td3(holder, draw(documents("P", optional=14)))
    if kind == "TD1":
        return writer.td1(holder, draw(documents("I", longest=14)))
    if kind == "TD2":
        return writer.td2(holder, draw(documents("I", longest=14, optional=7)))
    return writer.visa(holder, draw(documents("V")), 44 if kind == "MRV-A" else 36)


@settings(max_examples=15, deadline=None)
@given(zones())
def test_every_document_clearly_seen_decodes_to_itself(lines: Lines) -> None:
    decoded = decode(seen(lines))
    assert decoded is not None
    assert decoded.lines == lines
    assert decoded.cost == pytest.approx(0)


@settings(max_examples=15, deadline=None)
@given(zones(), st.randoms(use_true_random=False))
def test_whatever_is_decoded_holds_however_little_is_seen(lines: Lines, chance: object) -> None:
    noise = np.random.default_rng(chance.getrandbits(32)).normal(0, 3, seen(lines).shape)  # type: ignore[attr-defined]
    decoded = decode(seen(lines) + noise)
    assert decoded is not None
    assert outcomes(decoded.lines) == {Outcome.PASSED}


def test_what_the_picture_shows_is_believed() -> None:
    decoded = decode(seen(SPECIMEN, sure=0.9999))
    assert decoded is not None
    assert BELIEF.doubts(decoded) == ()


@pytest.mark.parametrize("lines", [LONG, LONG_BEYOND_OTHERS], ids=["TD1", "TD2"])
def test_a_number_longer_than_its_field_decodes(lines: Lines) -> None:
    decoded = decode(seen(lines))
    assert decoded is not None
    assert decoded.lines == lines
    assert decoded.cost == pytest.approx(0)


@pytest.mark.parametrize("seed", [58, 80, 300])
def test_a_number_that_goes_on_behind_other_fields_keeps_their_sums_apart(seed: int) -> None:
    lines = ("I<MARA<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "A000000<<0MAR9801015M000101800<<<<<2")
    noise = np.random.default_rng(seed).normal(0, 3, seen(lines).shape)
    decoded = decode(seen(lines) + noise)
    assert decoded is not None
    assert outcomes(decoded.lines) == {Outcome.PASSED}


def test_a_symbol_the_check_digits_tell_from_its_rival_is_read() -> None:
    decoded = decode(blurred(SPECIMEN, 1, 2, {"9": 0.6, "3": 0.39}))
    assert decoded is not None
    assert decoded.lines == SPECIMEN


def test_a_correction_that_the_picture_supports_is_made() -> None:
    decoded = decode(blurred(SPECIMEN, 1, 2, {"9": 0.45, "3": 0.54}))
    assert decoded is not None
    assert decoded.lines == SPECIMEN


def test_a_correction_by_check_digits_alone_is_not_believed() -> None:
    decoded = decode(blurred(SPECIMEN, 1, 2, {"9": 0.001, "3": 0.99}))
    assert decoded is not None
    assert "cost" in BELIEF.doubts(decoded)


@pytest.mark.parametrize("twin", [t for t in twins("0") if t != "<"])
def test_symbols_that_no_check_digit_tells_apart_are_not_guessed(twin: str) -> None:
    number = writer.guarded("L8989O2C0")
    lines = (SPECIMEN[0], number + SPECIMEN[1][10:])
    total = writer.digit(lines[1][:10] + lines[1][13:20] + lines[1][21:43])
    lines = (lines[0], lines[1][:43] + total)
    likely = blurred(lines, 1, 8, {"0": 0.6, twin: 0.4} if twin != "0" else {"0": 0.6, "K": 0.4})
    decoded = decode(likely)
    assert decoded is not None
    assert "share" in BELIEF.doubts(decoded)


@pytest.mark.parametrize("column", [5, 9, 20])
def test_a_name_that_may_be_another_is_not_believed(column: int) -> None:
    true = SPECIMEN[0][column]
    decoded = decode(blurred(SPECIMEN, 0, column, {true: 0.6, "W": 0.39}))
    assert decoded is not None
    assert BELIEF.doubts(decoded) != ()


def test_a_digit_is_no_rival_in_a_name() -> None:
    likely = seen(SPECIMEN, sure=0.9999)
    likely[0, 6, SYMBOLS.index("R")] = np.log(0.0001)
    likely[0, 6, SYMBOLS.index("O")], likely[0, 6, SYMBOLS.index("0")] = np.log((0.01, 0.98))
    decoded = decode(likely)
    assert decoded is not None
    assert (decoded.lines, BELIEF.doubts(decoded)) == (WITH_O, ())


def test_a_name_is_not_made_of_what_looks_like_a_digit() -> None:
    likely = seen(SPECIMEN, sure=0.9999)
    likely[0, 5, SYMBOLS.index("E")], likely[0, 5, SYMBOLS.index("3")] = np.log((0.01, 0.98))
    decoded = decode(likely)
    assert decoded is not None
    assert "faintest" in BELIEF.doubts(decoded)


def test_the_runner_up_is_the_best_other_valid_zone() -> None:
    decoded = decode(blurred(SPECIMEN, 0, 9, {"S": 0.6, "W": 0.39}))
    assert decoded is not None
    assert decoded.second - decoded.score == pytest.approx(np.log(0.39 / 0.6))


def test_the_shares_of_all_valid_zones_sum_to_one() -> None:
    likely = np.full((2, 44, 37), -60.0)
    for row, line in enumerate(SPECIMEN):
        for column, symbol in enumerate(line):
            likely[row, column, SYMBOLS.index(symbol)] = 0
    likely[0, 9, SYMBOLS.index("W")] = 0
    decoded = decode(likely)
    assert decoded is not None
    assert decoded.share == pytest.approx(np.log(0.5))


def test_looks_that_differ_make_each_other_doubtful() -> None:
    other = (SPECIMEN[0].replace("ANNA", "ANMA"), SPECIMEN[1])
    decoded = decode(pooled((seen(SPECIMEN), seen(other))))
    assert decoded is not None
    assert BELIEF.doubts(decoded) != ()


def test_a_zone_that_was_vague_throughout_is_not_believed_however_sure_its_symbols() -> None:
    decoded = decode(seen(SPECIMEN, 0.99999))
    assert decoded is not None
    assert BELIEF.doubts(decoded, -0.04) == ()
    assert BELIEF.doubts(decoded, -0.09) == ("share",)


def test_places_of_no_known_shape_are_no_zone() -> None:
    assert decode(seen(("P<UTO<", "L89890"))) is None


def test_a_letter_printed_in_a_date_is_not_read_as_an_unknown_part() -> None:
    # No check digit is the wiser: the filler that may stand there is worth nothing.
    born_some_day = (
        "AKGEOOC70532597<<<<<<<<<<<<<<<",
        "41<<<<1F0802075XCT384167940154",
        "LIROFAR<KJ<<CHUSRODOSRUR<KRXES",
    )
    clear = seen(born_some_day, 0.99999)
    assert (whole := decode(clear)) is not None
    assert BELIEF.doubts(whole) == ()
    clear[1, 2, [SYMBOLS.index("X"), SYMBOLS.index("<")]] = np.log((0.97, 0.02))
    assert (decoded := decode(clear)) is not None
    assert (decoded.lines, BELIEF.doubts(decoded)) == (born_some_day, ("looks",))
