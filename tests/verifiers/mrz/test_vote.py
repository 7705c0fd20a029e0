"""Several pictures of one document decide together."""

import pytest

from broker.verifiers.mrz.answer import Answer, Cause
from broker.verifiers.mrz.vote import vote

A, B = Answer((("A",),)), Answer((("B",),))
BLURRED, GLARE = Answer(cause=Cause.BLURRED), Answer(cause=Cause.GLARE_END)
UNSURE = Answer(cause=Cause.UNSURE)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([A], A),
        ([BLURRED, A, GLARE], A),
        ([A, B, A], A),
        ([A, B], UNSURE),
        ([BLURRED, GLARE], BLURRED),
        ([A, Answer((("A",), ("B",)))], Answer((("A",), ("B",)))),
        ([], Answer(cause=Cause.NOT_FOUND)),
    ],
    ids=["one", "blind", "most", "even", "none", "two-documents", "nothing"],
)
def test_a_zone_needs_more_votes_than_all_others(answers: list[Answer], expected: Answer) -> None:
    assert vote(answers) == expected


def test_a_symbol_is_as_sure_as_in_the_picture_that_shows_it_best() -> None:
    zones = (("AB", "C"),)
    first, second = (Answer(zones, sure=(told,)) for told in (((9, 5), (7,)), ((3, 8), (7,))))
    assert vote([first, BLURRED, second]) == Answer(zones, sure=(((9, 8), (7,)),))
    assert vote([first, Answer(zones)]) == first
