"""Cases that other implementations of the same formats made, decided by one function."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miftah_verify.case import KINDS, Verdict, decide, decide_all
from tests.miftah_verify.made import KEY, entries, proof_file, published

FILE = Path(__file__).parents[3] / "shared" / "audit" / "audit_log_cases.json"
CASES: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
EVERY = [case for kind in KINDS for case in CASES.get(kind, [])]

shared = pytest.mark.skipif(not CASES, reason="the developers' folder is not beside us")


@shared
@pytest.mark.shared
@pytest.mark.parametrize("case", EVERY, ids=[case["id"] for case in EVERY])
def test_every_case_is_decided_as_it_says(case: dict[str, Any]) -> None:
    assert decide(case).accepted == (case["expected"] == "accept")


@shared
@pytest.mark.shared
def test_the_first_bad_index_of_every_log_is_named() -> None:
    found = decide_all(CASES)
    for log in CASES["logs"]:
        assert found[log["id"]].index == log["first_bad"], log["id"]


@shared
@pytest.mark.shared
def test_without_a_copy_from_before_a_rewritten_history_is_located_to_a_range() -> None:
    (case,) = (log for log in CASES["logs"] if log["id"] == "D06-full-rewrite")
    found = decide(case)
    assert (found.accepted, found.index, found.last) == (False, 0, 299)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
NAMES = ("files", "old", "new", "proof", "entry_b64", "vkey", "witness_vkeys", "min_witnesses")


@given(st.dictionaries(st.sampled_from(NAMES), anything | st.just(str(KEY))))
def test_no_case_raises_anything(case: dict[str, Any]) -> None:
    assert isinstance(decide(case), Verdict)


@given(st.data())
def test_no_flipped_character_of_a_proof_is_accepted_or_raises(data: st.DataObject) -> None:
    import base64

    text = proof_file(5, 11)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from("\n \x00A9=+—") | st.characters())
    case = {
        "proof": text[:at] + put + text[at + 1 :],
        "entry_b64": base64.b64encode(entries(11)[5]).decode(),
        "vkey": str(KEY),
    }
    changed = case["proof"] != text
    assert decide(case).accepted != changed


@given(st.data())
def test_no_flipped_byte_of_a_log_is_accepted(data: st.DataObject) -> None:
    import base64

    files = published(entries(300))
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    raw = bytearray(files[name])
    raw[at] ^= data.draw(st.integers(1, 255))
    files[name] = bytes(raw)
    encoded = {n: base64.b64encode(content).decode() for n, content in files.items()}
    assert not decide({"files": encoded, "vkey": str(KEY)}).accepted
