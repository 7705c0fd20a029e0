from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broker.identity.evidence import Check, Claim, Evidence, Outcome, confirmed, from_json, to_json
from tests.conftest import NOON

texts = st.text(max_size=20)
faint = st.lists(st.integers(0, 40), max_size=3).map(tuple)
evidences = st.builds(
    Evidence,
    kind=texts,
    claims=st.lists(st.builds(Claim, texts, texts, texts, faint), max_size=4).map(tuple),
    checks=st.lists(st.builds(Check, texts, texts, st.sampled_from(Outcome)), max_size=4).map(
        tuple
    ),
    at=st.integers(0, 10**9).map(lambda us: NOON + timedelta(microseconds=us)),
    expires=st.none() | st.dates(),
    reference=texts,
)


@given(evidences)
def test_what_is_written_is_read_again(evidence: Evidence) -> None:
    assert from_json(to_json(evidence)) == evidence


@given(evidences)
def test_what_was_confirmed_says_the_same_and_doubts_nothing(evidence: Evidence) -> None:
    sure = confirmed(evidence)
    assert all(len(said) == 3 for said in to_json(sure)["claims"])
    assert [c.value for c in sure.claims] == [c.value for c in evidence.claims]


def test_a_claim_is_found_by_its_name() -> None:
    evidence = Evidence("k", (Claim("family_name", "ERIKSSON", "line 1"),), (), NOON)
    assert evidence.value("family_name") == "ERIKSSON"
    assert evidence.value("given_name") is None


def test_a_verdict_becomes_an_outcome() -> None:
    assert [Outcome.of(True), Outcome.of(False)] == [Outcome.PASSED, Outcome.FAILED]


def test_evidence_without_an_end_has_none() -> None:
    assert to_json(Evidence("k", (), (), NOON))["expires"] is None
    assert to_json(Evidence("k", (), (), NOON, date(2030, 1, 2)))["expires"] == "2030-01-02"
