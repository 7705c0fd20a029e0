"""One person or two: the rule, over names of many scripts and dates with parts unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.identity.evidence import Claim, Evidence
from broker.identity.same_person import Meeting, Verdict, compared, dates, names
from broker.identity.spelling import spellings
from tests.conftest import NOON

WHOLE = [
    ("Müller", "MUELLER"), ("Müller", "Muller"), ("Weiß", "WEISS"), ("Øster", "OESTER"),
    ("Ångström", "AANGSTROEM"), ("Ångström", "Angstrom"), ("Çelik", "CELIK"), ("Łukasz", "LUKASZ"),
    ("Þórdís", "THORDIS"), ("Núñez", "NUNEZ"), ("O'Brien", "OBRIEN"), ("O’Brien", "O'BRIEN"),
    ("Saint-Exupéry", "SAINT EXUPERY"), ("de la Cruz", "DELACRUZ"), ("Ďurčovský", "DURCOVSKY"),
    ("Иванов", "IVANOV"), ("Щербаков", "SHCHERBAKOV"), ("Юлия", "YULIYA"), ("Юлия", "IULIIA"),
    ("Христов", "HRISTOV"), ("Христов", "KHRISTOV"), ("Георгиев", "GEORGIEV"), ("Ганна", "HANNA"),
    ("Παπαδόπουλος", "PAPADOPOULOS"), ("Χριστίνα", "CHRISTINA"), ("Ευάγγελος", "EVANGELOS"),
    ("Μπάμπης", "BAMPIS"), ("Ísak", "ISAK"), ("Ştefan", "STEFAN"), ("Ștefan", "Stefan"),
    ("ONASES", "Onases"), ("Yılmaz", "YILMAZ"), ("Æbelø", "AEBELOE"), ("Nguyễn", "NGUYEN"),
    ("Muñoz", "MUNXXOZ"), ("Müller", "MUXXLLER"),
]  # fmt: skip
PARTLY = [
    ("Sarah Marie", "Sarah"), ("García López", "García"), ("Mohammed", "Muhammad"),
    ("Mohamed", "Mohammed"), ("El Alaoui", "Alaoui"), ("Abdelkader", "Abdelka"),
]  # fmt: skip
NOT = [
    ("Sarah", "Nadia"), ("Müller", "Schmidt"), ("Иванов", "PETROV"), ("Anna", "Bo"),
    ("Kowalska", "Nowak"), ("Martin", "Bernard"),
]  # fmt: skip


def said(family: str, given_name: str, born: str, birth_name: str = "") -> Evidence:
    values = {
        "family_name": family, "given_name": given_name, "birthdate": born,
        "birth_family_name": birth_name,
    }  # fmt: skip
    found = tuple(Claim(name, value, "x") for name, value in values.items() if value)
    return Evidence("fc_eidas2", found, (), NOON)


@pytest.mark.parametrize(("one", "other"), WHOLE)
def test_one_name_in_two_spellings(one: str, other: str) -> None:
    assert names(one, other) is names(other, one) is Meeting.WHOLE


@pytest.mark.parametrize(("one", "other"), PARTLY)
def test_names_that_may_be_one_are_for_a_person_to_judge(one: str, other: str) -> None:
    assert names(one, other) is names(other, one) is Meeting.PARTLY


@pytest.mark.parametrize(("one", "other"), NOT)
def test_two_names(one: str, other: str) -> None:
    assert names(one, other) is names(other, one) is Meeting.NOT


@pytest.mark.parametrize(("one", "other"), [("Kowalska", "Kowalski"), ("Sarah", "Sara")])
def test_names_that_are_merely_alike_are_never_the_same(one: str, other: str) -> None:
    assert names(one, other) is not Meeting.WHOLE


def test_a_script_without_a_table_is_never_guessed_at() -> None:
    assert spellings("بنعلي") == frozenset()
    assert names("بنعلي", "BENALI") is Meeting.UNKNOWN
    assert names("بنعلي", "بنعلي") is Meeting.WHOLE


DATES = [
    ("1975-04-20", "1975-04-20", Meeting.WHOLE),
    ("1975-04-20", "1975-04-21", Meeting.NOT),
    ("1975-00-00", "1975-04-21", Meeting.PARTLY),
    ("1975-04-00", "1975-05-21", Meeting.NOT),
    ("0000-04-20", "1975-04-20", Meeting.PARTLY),
    ("1975", "1975-04-20", Meeting.PARTLY),
    ("1975", "1976-04-20", Meeting.NOT),
    (None, "1976-04-20", Meeting.UNKNOWN),
]


@pytest.mark.parametrize(("one", "other", "meeting"), DATES)
def test_only_what_both_know_of_a_date_is_compared(
    one: str | None, other: str | None, meeting: Meeting
) -> None:
    assert dates(one, other) is dates(other, one) is meeting


RULE = [
    (("Onases", "Sarah", "1975-04-20"), ("ONASES", "SARAH", "1975-04-20"), Verdict.SAME),
    (("Onases", "Sarah", "1975-04-20"), ("ONASES", "SARAH", "1975-04-21"), Verdict.DIFFERENT),
    (("Onases", "Sarah", "1975-04-20"), ("ONASES", "SARAH", "1975-00-00"), Verdict.UNCLEAR),
    (("Onases", "Sarah", "1975-04-20"), ("BERNARD", "SARAH", "1975-04-20"), Verdict.UNCLEAR),
    (("Onases", "Sarah", "1975-04-20"), ("ONASES", "NADIA", "1975-04-20"), Verdict.UNCLEAR),
    (("Onases", "Sarah", "1975-04-20"), ("BERNARD", "NADIA", "1975-04-20"), Verdict.DIFFERENT),
    (("Onases", "Sarah", "1975-04-20"), ("ONASES", "SARAH MARIE", "1975-04-20"), Verdict.UNCLEAR),
    (("Onases", "", "1975-04-20"), ("ONASES", "SARAH", "1975-04-20"), Verdict.UNCLEAR),
    (("Onases", "Sarah", ""), ("ONASES", "SARAH", "1975-04-20"), Verdict.UNCLEAR),
    (("بنعلي", "سارة", "1975-04-20"), ("BENALI", "SARA", "1975-04-20"), Verdict.UNCLEAR),
]


@pytest.mark.parametrize(("one", "other", "verdict"), RULE)
def test_the_rule_says_what_its_table_says(
    one: tuple[str, str, str], other: tuple[str, str, str], verdict: Verdict
) -> None:
    assert compared(said(*one), said(*other)).verdict is verdict
    assert compared(said(*other), said(*one)).verdict is verdict


def test_the_name_at_birth_counts_as_a_family_name() -> None:
    married = said("Bernard", "Sarah", "1975-04-20", "Onases")
    assert compared(married, said("ONASES", "SARAH", "1975-04-20")).verdict is Verdict.SAME


texts = st.text(max_size=12)


@given(texts, texts)
def test_the_order_of_two_names_does_not_matter(one: str, other: str) -> None:
    assert names(one, other) is names(other, one)


@given(texts)
def test_every_name_meets_itself(name: str) -> None:
    assert names(name, name) is Meeting.WHOLE
