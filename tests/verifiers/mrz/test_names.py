"""Names as the zone holds them."""

import pytest

from broker.verifiers.mrz.names import Names, parse_names


def test_two_fillers_part_the_names_and_one_is_a_space() -> None:
    assert parse_names("VAN<DER<MUELLEN<<MARTINUS<JAN<<<") == Names(
        "VAN DER MUELLEN", "MARTINUS JAN", is_truncated=False
    )


def test_a_person_may_have_one_name_only() -> None:
    assert parse_names("ARKFREITH<<<<<<") == Names("ARKFREITH", None, is_truncated=False)


def test_names_that_fill_their_field_may_go_on() -> None:
    assert parse_names("ABCDEFG<<HIJ").is_truncated


@pytest.mark.parametrize(
    "field",
    ["<<<<<<", "<ANNA<<<", "BERG<<ANNA<<K<<<", "BERG<<<ANNA<<", "BERG<<ANN4<<", "BERG<<<<K<<", ""],
)
def test_what_no_document_has_there_is_refused(field: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the kind is all that is promised
        parse_names(field)
