"""A scheme's file: what it must say, and what happens where it does not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.identity.assurance import SHIPPED, read_policy
from broker.identity.scheme import Scheme, SchemeRejected, graded, parse

POLICY = read_policy(SHIPPED)
PRESETS = Path(__file__).parents[2] / "schemes"

GOOD = """
enabled = true
protocol = "oidc"
framework = "https://op.xa.test"
countries = ["FR"]
identifier = "sub"

[name]
fr = "Identité d'essai"
ar = "هوية تجريبية"
en = "Trial identity"

[about]
fr = "Vous avez besoin de rien."
ar = "لا تحتاجون إلى شيء."
en = "You need nothing."

[[levels]]
says = "eidas1"
means = "low"
evidence = "fc_eidas1"

[[levels]]
says = "eidas2"
means = "substantial"
evidence = "fc_eidas2"

[claims]
family_name = "family_name"
given_name = "given_name"
birthdate = "birthdate"

[oidc]
issuer = "https://op.xa.test"
"""


def good() -> Scheme:
    return parse("trial", GOOD.encode())


def test_a_scheme_is_what_its_file_says() -> None:
    scheme = good()
    assert (scheme.id, scheme.protocol, scheme.countries) == ("trial", "oidc", ("FR",))
    assert scheme.section == {"issuer": "https://op.xa.test"}
    assert [row.evidence for row in scheme.levels] == ["fc_eidas1", "fc_eidas2"]


def test_a_level_is_known_letter_for_letter_or_not_at_all() -> None:
    found = good().level("eidas2")
    assert found is not None
    assert found.means == "substantial"
    for other in ("eidas3", "EIDAS2", "eidas2 ", "", None, ["eidas2"], 2):
        assert good().level(other) is None


def test_a_country_may_reach_less_than_the_scheme() -> None:
    scheme = good().model_copy(update={"reach": {"FR": "low"}})
    assert [row.means for row in scheme.of("FR")] == ["low"]
    assert [row.means for row in scheme.of("")] == ["low", "substantial"]
    assert [row.means for row in scheme.at_least("substantial")] == ["substantial"]
    assert scheme.at_least("high") == ()


MISTAKES = {
    "no-toml": ("[name", "x", "no TOML"),
    "no-section": ("[oidc]", "[other]", "section of that name"),
    "no-arabic": ('ar = "هوية تجريبية"', "", "name.ar"),
    "stranger": ('identifier = "sub"', 'identifier = "sub"\nlevel = 1', "level"),
    "country": ('["FR"]', '["France"]', "countries.0"),
    "means": ('means = "low"', 'means = "medium"', "levels.0.means"),
    "order": ('means = "low"', 'means = "high"', "weakest first"),
    "twice": ('says = "eidas1"', 'says = "eidas2"', "said twice"),
    "claim": ("birthdate =", 'phone = "phone"\nbirthdate =', "no use for: phone"),
    "required": ("birthdate =", "place_of_birth =", "not mapped: birthdate"),
    "reach": ('identifier = "sub"', 'identifier = "sub"\nreach = {DE = "low"}', "countries: DE"),
    "protocol": ('protocol = "oidc"', "protocol = 1", "section of that name"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_told_with_its_file_and_place(mistake: str) -> None:
    old, new, told = MISTAKES[mistake]
    assert old in GOOD
    with pytest.raises(SchemeRejected) as caught:
        parse("trial", GOOD.replace(old, new, 1).encode())
    assert str(caught.value).startswith("trial.toml: ")
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["", "Trial", "a/b", "..", "1a", "a" * 41])
def test_a_scheme_has_a_name_that_fits_an_address(name: str) -> None:
    with pytest.raises(SchemeRejected):
        parse(name, GOOD.encode())


def test_a_file_may_not_be_huge() -> None:
    with pytest.raises(SchemeRejected, match="bytes"):
        parse("trial", GOOD.encode() + b"#" * 65_536)


@given(st.binary(max_size=200))
def test_no_file_raises_anything_else(text: bytes) -> None:
    with pytest.raises(SchemeRejected):
        parse("trial", text)


@pytest.mark.parametrize("evidence", ["mrz_photo", "fc_eidas3", "unknown", "qualified_cert"])
def test_a_level_must_be_graded_by_the_policy_as_the_scheme_says(evidence: str) -> None:
    graded([good()], POLICY)
    wrong = parse("trial", GOOD.replace('"fc_eidas1"', f'"{evidence}"').encode())
    with pytest.raises(SchemeRejected, match="levels"):
        graded([wrong], POLICY)


def test_the_file_says_no_secret_twice() -> None:
    with pytest.raises(SchemeRejected) as caught:
        parse("trial", GOOD.replace('means = "low"', 'means = "s3cret"').encode())
    assert "s3cret" not in str(caught.value)
