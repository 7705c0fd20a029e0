"""Documents that states could issue, for Hypothesis."""

from datetime import date, timedelta

from hypothesis import strategies as st

from tests.verifiers.mrz.writer import Document, Holder

TODAY = date(2026, 11, 23)
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALNUM = UPPER + "0123456789"

words = st.text(UPPER, min_size=1, max_size=12)
states = st.sampled_from(("MAR", "FRA", "D", "GBD", "UTO", "XXA", "RKS", "UNO", "EUE", "NLD"))


def phrases(most: int) -> st.SearchStrategy[str]:
    return st.lists(words, min_size=1, max_size=most).map(" ".join)


def yymmdd(first: date, last: date) -> st.SearchStrategy[str]:
    return st.dates(first, last).map(lambda day: day.strftime("%y%m%d"))


births = yymmdd(TODAY - timedelta(days=99 * 365), TODAY)
expiries = yymmdd(TODAY - timedelta(days=30 * 365), TODAY + timedelta(days=10 * 365))


@st.composite
def holders(draw: st.DrawFn) -> Holder:
    return Holder(
        surname=draw(phrases(2)),
        given_names=draw(st.one_of(st.just(""), phrases(3))),
        nationality=draw(states),
        birth=draw(births),
        sex=draw(st.sampled_from("MF<X")),
    )


@st.composite
def documents(draw: st.DrawFn, code: str, longest: int = 9, optional: int = 0) -> Document:
    number = draw(st.sampled_from(ALNUM)) + draw(st.text(ALNUM, min_size=3, max_size=longest - 1))
    return Document(
        code=code + draw(st.sampled_from(("", "A", "O", "Z"))),
        state=draw(states),
        number=number,
        expiry=draw(expiries),
        optional=draw(st.text(ALNUM, max_size=optional)),
        optional_2=draw(st.text(ALNUM, max_size=11)),
    )
