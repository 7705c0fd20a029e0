"""Zones: what is written is read back, and what was changed is noticed."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import EvidenceRejected
from broker.identity.evidence import Outcome
from broker.verifiers.mrz.check_digits import check_digit
from broker.verifiers.mrz.layouts import LAYOUTS, TD1, TD2, TD3, Format, Layout
from broker.verifiers.mrz.zone import Zone, parse
from tests.verifiers.mrz.strategies import ALNUM, TODAY, documents, holders
from tests.verifiers.mrz.writer import Document, Holder, digit, names, td1, td2, td3, visa

ICAO_TD3 = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
ICAO_TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
ICAO_TD1 = (
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)
ICAO_LONG_NUMBER = (
    "I<UTOD23145890<7349<<<<<<<<<<<",
    "3407127M9507122UTO<<<<<<<<<<<2",
    "STEVENSON<<PETER<JOHN<<<<<<<<<",
)
ICAO_MRV_A = (
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
)
ICAO_MRV_B = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")
FRENCH_CARD = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")


def read(lines: tuple[str, ...]) -> Zone:
    return parse(lines, TODAY)


def replaced(lines: tuple[str, ...], line: int, place: int, symbol: str) -> tuple[str, ...]:
    row = lines[line - 1]
    changed = row[: place - 1] + symbol + row[place:]
    return (*lines[: line - 1], changed, *lines[line:])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (ICAO_TD3, Format.TD3),
        (ICAO_TD2, Format.TD2),
        (ICAO_TD1, Format.TD1),
        (ICAO_LONG_NUMBER, Format.TD1),
        (ICAO_MRV_A, Format.MRV_A),
        (ICAO_MRV_B, Format.MRV_B),
        (FRENCH_CARD, Format.IDFRA),
    ],
)
def test_published_specimens_hold(lines: tuple[str, ...], expected: Format) -> None:
    zone = read(lines)
    assert zone.format is expected
    assert zone.holds()


def test_every_field_of_the_icao_passport_is_read() -> None:
    zone = read(ICAO_TD3)
    assert (zone.document_code, zone.issuing_state, zone.nationality) == ("P", "UTO", "UTO")
    assert (zone.names.surname, zone.names.given_names) == ("ERIKSSON", "ANNA MARIA")
    assert (zone.document_number, zone.sex) == ("L898902C3", "F")
    assert str(zone.birth_date) == "1974-08-12"
    assert zone.expiry_date == date(2012, 4, 15)
    assert zone.optional_data == ("ZE184226B",)


def test_every_field_says_where_it_stands() -> None:
    zone = read(ICAO_TD3)
    assert zone.place("birth_date") == "line 2, 14–19"
    assert zone.place("sex") == "line 2, 21"
    assert zone.place("names") == "line 1, 6–44"


def test_the_french_card_keeps_its_names_apart() -> None:
    zone = read(FRENCH_CARD)
    assert (zone.names.surname, zone.names.given_names) == ("BERTHIER", "CORINNE")
    assert zone.document_number == "880692310285"
    assert zone.expiry_date is None
    assert zone.nationality is None


def test_a_long_card_number_goes_on_in_the_optional_field() -> None:
    zone = read(ICAO_LONG_NUMBER)
    assert zone.document_number == "D23145890734"
    assert zone.optional_data == ("", "")


@pytest.mark.parametrize("write", [td1, td2])
def test_a_wrong_digit_of_a_long_number_is_seen_where_it_stands(write: object) -> None:
    lines = write(Holder(), Document(code="I", number="D23145890734"))  # type: ignore[operator]
    line, place = (1, 19) if write is td1 else (2, 32)
    wrong = replaced(lines, line, place, str((int(lines[line - 1][place - 1]) + 1) % 10))
    failed = [c for c in read(wrong).checks if c.outcome is Outcome.FAILED]
    assert failed[0].name == "document_number"
    assert failed[0].place == f"line {line}, {place}"


@given(holders(), documents("P", optional=14), st.sampled_from("<0"))
def test_any_passport_reads_back(holder: Holder, document: Document, empty: str) -> None:
    agrees(read(td3(holder, document, empty)), holder, document, 39)


@given(holders(), documents("I", longest=12, optional=3))
def test_any_td2_card_reads_back(holder: Holder, document: Document) -> None:
    document = replace(document, optional="" if len(document.number) > 9 else document.optional)
    agrees(read(td2(holder, document)), holder, document, 31)


@given(holders(), documents("C", longest=20, optional=2))
def test_any_td1_card_reads_back(holder: Holder, document: Document) -> None:
    agrees(read(td1(holder, document)), holder, document, 30)


@given(holders(), documents("V", optional=8), st.sampled_from((36, 44)))
def test_any_visa_reads_back(holder: Holder, document: Document, width: int) -> None:
    agrees(read(visa(holder, document, width)), holder, document, width - 5)


def agrees(zone: Zone, holder: Holder, document: Document, width: int) -> None:
    assert zone.holds()
    assert zone.document_number == document.number
    assert zone.document_code == document.code
    assert (zone.issuing_state, zone.nationality) == (document.state, holder.nationality)
    assert zone.sex == (None if holder.sex == "<" else holder.sex)
    assert str(zone.birth_date)[2:].replace("-", "") == holder.birth
    assert zone.expiry_date is not None
    assert zone.expiry_date.strftime("%y%m%d") == document.expiry
    assert zone.optional_data[0] == document.optional
    whole = "<<".join(filter(None, (holder.surname, holder.given_names))).replace(" ", "<")
    if len(whole) < width:
        assert not zone.names.is_truncated
        assert zone.names.surname == holder.surname
        assert (zone.names.given_names or "") == holder.given_names


WRITERS: tuple[tuple[Layout, tuple[str, ...]], ...] = (
    (TD3, ICAO_TD3),
    (TD2, ICAO_TD2),
    (TD1, ICAO_TD1),
)


@given(st.sampled_from(WRITERS), st.data())
def test_a_changed_symbol_under_a_check_digit_never_passes(
    kind: tuple[Layout, tuple[str, ...]], data: st.DataObject
) -> None:
    layout, lines = kind
    guard = data.draw(st.sampled_from(layout.guards))
    span = data.draw(st.sampled_from((*guard.over, guard.at)))
    place = data.draw(st.integers(span.first, span.last))
    old = lines[span.line - 1][place - 1]
    # Symbols worth the same modulo ten are twins to any check digit: 0, A, K, U and the filler.
    new = data.draw(st.sampled_from([s for s in ALNUM + "<" if worth(s) != worth(old)]))
    assert not passes(replaced(lines, span.line, place, new))


def worth(symbol: str) -> int:
    return 0 if symbol == "<" else int(symbol, 36) % 10


def passes(lines: tuple[str, ...]) -> bool:
    try:
        return read(lines).holds()
    except EvidenceRejected:
        return False


@given(st.lists(st.text(max_size=50), max_size=4).map(tuple))
def test_no_text_raises_anything_but_a_rejection(lines: tuple[str, ...]) -> None:
    passes(lines)


@given(st.sampled_from(LAYOUTS), st.data())
def test_no_text_of_the_right_shape_raises_anything_but_a_rejection(
    layout: Layout, data: st.DataObject
) -> None:
    row = st.text(ALNUM + "<", min_size=layout.width, max_size=layout.width)
    rows = data.draw(st.lists(row, min_size=layout.lines, max_size=layout.lines))
    rows[0] = data.draw(st.sampled_from(layout.codes)) + rows[0][1:]
    passes(tuple(rows))


@given(st.text(ALNUM + "<"))
def test_the_check_digit_is_the_standards(text: str) -> None:
    assert check_digit(text) == digit(text)


def test_a_composite_digit_is_checked_by_itself() -> None:
    failed = [c.name for c in read(replaced(ICAO_TD3, 2, 44, "1")).checks if c.outcome == "failed"]
    assert failed == ["composite"]


def test_optional_data_needs_its_own_digit() -> None:
    failed = [c.name for c in read(replaced(ICAO_TD3, 2, 43, "<")).checks if c.outcome == "failed"]
    assert "optional_data" in failed


@pytest.mark.parametrize("code", ["X1O", "1UT", "<<<", "D<A", "DE<"])
def test_an_issuer_code_is_three_letters_or_germanys_one(code: str) -> None:
    with pytest.raises(EvidenceRejected):
        read(("P<" + code + ICAO_TD3[0][5:], ICAO_TD3[1]))


def test_an_unknown_sex_is_refused() -> None:
    with pytest.raises(EvidenceRejected):
        read(replaced(ICAO_TD3, 2, 21, "H"))


def test_a_passport_without_expiry_is_refused() -> None:
    with pytest.raises(EvidenceRejected):
        read(td3(Holder(), Document(expiry="<<<<<<")))


def test_a_card_may_leave_the_nationality_open_and_a_passport_may_not() -> None:
    open_one = Holder(nationality="<<<")
    assert read(td1(open_one, Document(code="I"))).nationality is None
    with pytest.raises(EvidenceRejected):
        read(td3(open_one, Document()))


def test_a_card_may_have_no_expiry() -> None:
    assert read(td1(Holder(), Document(code="I", expiry="<<<<<<"))).expiry_date is None


def test_the_moroccan_personal_number_is_the_cnie_number() -> None:
    document = Document(state="MAR", number="AB1234567", optional="BK654321")
    zone = read(td3(Holder(nationality="MAR"), document))
    assert zone.optional_data == ("BK654321",)


def test_a_truncated_name_says_so() -> None:
    long = Holder(surname="NILAVADHANANANDA", given_names="CHAYAPA DEJTHAMRONG KRASUANG")
    assert read(td3(long, Document())).names.is_truncated
    assert names(long, 39)[-1] != "<"
