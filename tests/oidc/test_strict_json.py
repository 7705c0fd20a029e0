"""JSON from a stranger: taken whole, or refused with words that may be told."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.oidc.strict_json import DEPTH_LIMIT, JsonRefused, read

PLAIN = st.text(st.characters(min_codepoint=32, blacklist_categories=["Cs", "Cc"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_well_formed_is_read_as_it_was_meant(value: object) -> None:
    assert read(json.dumps(value), size=100_000) == value


@given(st.text(max_size=200))
def test_no_text_whatever_raises_anything_but_a_refusal(text: str) -> None:
    with suppress(JsonRefused):
        read(text, size=100)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": {"b": 1, "b": 1}}', "twice"),
        ("[" * (DEPTH_LIMIT + 1) + "]" * (DEPTH_LIMIT + 1), "deeply"),
        ("[" * 90_000, "deeply"),
        ("x" * 100_001, "long"),
        ("NaN", "JSON"),
        ("[Infinity]", "JSON"),
        ("1e999", "range"),
        ("9" * 5000, "JSON"),
        ('"\\u0000"', "character"),
        ('"\\ud800"', "character"),
        ('{"\\ud800": 1}', "character"),
        ("", "JSON"),
        ("{'a': 1}", "JSON"),
    ],
)
def test_what_could_mean_two_things_or_harm_a_database_is_refused(text: str, why: str) -> None:
    with pytest.raises(JsonRefused, match=why):
        read(text, size=100_000)


def test_the_deepest_that_is_allowed_is_read() -> None:
    assert read("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, size=100) is not None
