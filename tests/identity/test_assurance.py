"""The rule that grants levels, held against the table it was made from."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import find, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from broker.identity.assurance import (
    SHIPPED,
    Assessment,
    Policy,
    acr_of,
    acr_uri,
    assess,
    in_force,
    meets,
    published,
    reachable,
    reaches,
    read_policy,
)
from broker.identity.evidence import Evidence
from tests.conftest import NOON

POLICY = read_policy(SHIPPED)
LEVELS = list(POLICY.identity_levels)
KINDS = [kind for kind in POLICY.evidence if POLICY.evidence[kind].ttl_days]

Rule = Callable[[Iterable[Evidence], Policy, datetime], Assessment]


def shown(kind: str, at: datetime = NOON, expires: date | None = None) -> Evidence:
    return Evidence(kind, (), (), at, expires)


@cache
def with_fraud(score: int) -> Policy:
    document = yaml.safe_load(SHIPPED.read_text("utf-8"))
    document["fraud_sources"] = [{"id": "lost-stolen", "score": score}]
    return Policy.model_validate(document)


# The table of evidence combinations

LEVEL_OF = {
    # kind: without any fraud source, with one of score 1, with one of score 2
    "mrz_photo": ("P0", "P0", "P0"),
    "mrz_photo_operator": ("P1", "P1", "P1"),
    "mrz_photo_operator_affiliate_history": ("P1", "P1", "P2"),
    "chip_pa_only": ("P0", "P0", "P0"),
    "chip_pa_operator_async": ("P1", "P2", "P2"),
    "chip_pa_aa_operator_live": ("P2", "P2", "P2"),
    "consular_in_person": ("P2", "P3", "P3"),
    "eidas_low": ("P1", "P1", "P1"),
    "eidas_substantial": ("P2", "P2", "P2"),
    "eidas_high": ("P3", "P3", "P3"),
    "fc_eidas1": ("P1", "P1", "P1"),
    "fc_eidas2": ("P2", "P2", "P2"),
    "fc_eidas3": ("P3", "P3", "P3"),
    "notified_low": ("P1", "P1", "P1"),
    "notified_substantial": ("P2", "P2", "P2"),
    "notified_high": ("P3", "P3", "P3"),
    "foreign_low": ("P0", "P0", "P0"),
    "foreign_substantial": ("P1", "P1", "P1"),
    "foreign_high": ("P1", "P1", "P1"),
    "qualified_cert": ("P2", "P2", "P2"),
    "eudi_pid": ("P3", "P3", "P3"),
    "mailed_code": ("P0", "P0", "P0"),
}


def test_the_table_speaks_of_every_kind_of_evidence() -> None:
    assert set(LEVEL_OF) == set(POLICY.evidence)


@pytest.mark.parametrize(("kind", "levels"), LEVEL_OF.items())
def test_every_kind_of_evidence_grants_the_level_of_the_table(
    kind: str, levels: tuple[str, str, str]
) -> None:
    policies = (POLICY, with_fraud(1), with_fraud(2))
    assert tuple(assess([shown(kind)], p, NOON).level for p in policies) == levels
    assert tuple(reachable([kind], p) for p in policies) == levels


def test_nothing_shown_is_the_lowest_level() -> None:
    assert assess([], POLICY, NOON) == Assessment("P0")


def test_a_photographed_zone_verifies_nothing() -> None:
    level = assess([shown("mrz_photo")], POLICY, NOON).level
    assert not POLICY.identity_levels[level].verified


def test_the_answer_says_why_and_by_what() -> None:
    low, high = shown("mrz_photo"), shown("consular_in_person")
    assessment = assess([low, high], POLICY, NOON)
    assert assessment == Assessment("P2", "consular_in_person: gpg45 M1C", high)
    assert assess([shown("eidas_high")], POLICY, NOON).because == (
        "eidas_high: upstream eidas high"
    )
    assert assess([shown("chip_pa_aa_operator_live")], POLICY, NOON).because == (
        "chip_pa_aa_operator_live: nist-nonbiometric-shape"
    )


def test_without_the_nist_route_a_live_comparison_is_worth_its_profile() -> None:
    document = yaml.safe_load(SHIPPED.read_text("utf-8")) | {"nist_nonbiometric_route": "off"}
    policy = Policy.model_validate(document)
    assert assess([shown("chip_pa_aa_operator_live")], policy, NOON).level == "P1"


# What is in force


def test_evidence_counts_until_its_time_to_live_is_over() -> None:
    piece = shown("mrz_photo_operator")
    end = NOON + timedelta(days=POLICY.evidence["mrz_photo_operator"].ttl_days)
    assert in_force(piece, POLICY, end - timedelta(microseconds=1))
    assert not in_force(piece, POLICY, end)
    assert assess([piece], POLICY, end).level == "P0"


def test_a_document_counts_on_its_last_day_wherever_the_person_is() -> None:
    piece = shown("mrz_photo_operator", expires=date(2026, 11, 25))
    assert in_force(piece, POLICY, datetime(2026, 11, 26, 11, 59, tzinfo=UTC))
    assert not in_force(piece, POLICY, datetime(2026, 11, 26, 12, 0, tzinfo=UTC))


def test_evidence_of_an_unknown_kind_counts_for_nothing() -> None:
    assert not in_force(shown("hearsay"), POLICY, NOON)
    assert assess([shown("hearsay")], POLICY, NOON).level == "P0"
    assert reachable(["hearsay"], POLICY) == "P0"


def test_a_mailed_code_never_counts() -> None:
    assert not in_force(shown("mailed_code"), POLICY, NOON)


# The acr of a pair

ACR = {
    "P0": ("contact", "contact", "contact", "contact", "contact"),
    "P1": ("contact", "contact", "basic", "basic", "basic"),
    "P2": ("contact", "contact", "verified-otp", "verified-phr", "verified-phrh"),
    "P3": ("contact", "contact", "verified-otp", "official-phr", "official-phrh"),
}
"""Rows are identity levels, columns authenticator levels in the policy's order."""


@pytest.mark.parametrize("identity", LEVELS)
def test_every_pair_has_the_acr_of_the_table(identity: str) -> None:
    row = tuple(acr_of(identity, how, POLICY) for how in POLICY.authenticator_order)
    assert row == ACR[identity]


def test_acr_values_are_no_ladder() -> None:
    # A passkey of an officially known person does not contain an attested key of a verified one.
    attested = next(a for a in POLICY.acr if a.name == "verified-phrh")
    assert acr_of("P3", "C2", POLICY) == "official-phr"
    assert not meets("P3", "C2", attested, POLICY)


def test_a_pair_meets_what_its_own_acr_needs() -> None:
    for identity, how in product(LEVELS, POLICY.authenticator_order):
        name = acr_of(identity, how, POLICY)
        assert meets(identity, how, next(a for a in POLICY.acr if a.name == name), POLICY)


def test_a_policy_without_a_weakest_acr_refuses_a_pair_below_it() -> None:
    strict = POLICY.model_copy(update={"acr": POLICY.acr[:1]})
    with pytest.raises(ValueError, match="no acr"):
        acr_of("P0", "C0", strict)


# More never means less

kinds = st.lists(st.sampled_from(KINDS), max_size=5)


@settings(deadline=None)  # the first example of each score reads the policy
@given(kinds, st.sampled_from(KINDS), st.integers(0, 2))
def test_more_evidence_never_lowers_the_level(before: list[str], more: str, fraud: int) -> None:
    assert not lowers(assess, before, more, with_fraud(fraud) if fraud else POLICY)


def lowers(rule: Rule, before: list[str], more: str, policy: Policy) -> bool:
    """Whether showing one thing more makes the rule's answer lower."""
    held = [shown(kind) for kind in before]
    first = rule(held, policy, NOON).level
    return not reaches(rule([*held, shown(more)], policy, NOON).level, first, policy)


def last_word(evidence: Iterable[Evidence], policy: Policy, now: datetime) -> Assessment:
    """A broken rule: the last thing that was shown decides alone."""
    return assess(list(evidence)[-1:], policy, now)


def averaged(evidence: Iterable[Evidence], policy: Policy, now: datetime) -> Assessment:
    """A broken rule: the middle of all that was shown."""
    ranks = sorted(LEVELS.index(assess([e], policy, now).level) for e in evidence)
    return Assessment(LEVELS[ranks[len(ranks) // 2]] if ranks else "P0")


@pytest.mark.parametrize("broken", [last_word, averaged])
def test_the_property_catches_a_rule_that_is_broken(broken: Rule) -> None:
    cases = st.tuples(kinds, st.sampled_from(KINDS))
    before, more = find(cases, lambda case: lowers(broken, case[0], case[1], POLICY))
    assert not lowers(assess, before, more, POLICY)


@given(st.sampled_from(LEVELS), st.sampled_from(POLICY.authenticator_order), st.data())
def test_a_better_half_never_loses_an_acr_that_was_met(
    identity: str, how: str, data: st.DataObject
) -> None:
    better = data.draw(st.sampled_from(LEVELS[LEVELS.index(identity) :]))
    order = POLICY.authenticator_order
    stronger = data.draw(st.sampled_from(order[order.index(how) :]))
    for acr in POLICY.acr:
        assert not meets(identity, how, acr, POLICY) or meets(better, stronger, acr, POLICY)


@given(kinds)
def test_the_order_in_which_things_were_shown_is_all_one(shown_kinds: list[str]) -> None:
    held = [shown(kind) for kind in shown_kinds]
    assert assess(held, POLICY, NOON).level == assess(held[::-1], POLICY, NOON).level


@given(kinds)
def test_nobody_reaches_more_than_is_reachable(shown_kinds: list[str]) -> None:
    level = assess([shown(kind) for kind in shown_kinds], POLICY, NOON).level
    assert reachable(shown_kinds, POLICY) == level


# The policy as data


def changed(path: str, value: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(SHIPPED.read_text("utf-8"))
    *way, last = path.split("/")
    place: Any = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("gpg45_to_identity/low", "P9", "unknown identity level: P9"),
        ("upstream_to_identity/eidas/low", "P9", "unknown identity level: P9"),
        ("acr/0/needs", {"identity": "P9", "authenticator": "C3"}, "unknown identity level: P9"),
        ("acr/0/needs", {"identity": "P3", "authenticator": "C9"}, "unknown authenticator level"),
        ("authenticators/totp", {"level": "C9", "amr": ["otp"]}, "unknown authenticator level"),
        ("authenticator_order", ["C0", "C1"], "must list every authenticator level once"),
        ("evidence/eidas_low/upstream", "hearsay", "unknown upstream: hearsay"),
        ("evidence/eidas_low/level", "splendid", "unknown level of eidas: splendid"),
        ("evidence/mrz_photo/ev", [5, 1], "less than or equal to 4"),
        ("evidence/mrz_photo/verifcation", 2, "Extra inputs are not permitted"),
        ("surprise", 1, "Extra inputs are not permitted"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(path: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Policy.model_validate(changed(path, value))


def test_a_policy_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(changed("version", "next")), "utf-8")
    assert read_policy(file).version == "next"


def test_the_switch_means_the_same_in_either_yaml() -> None:
    for written, meant in (("on", True), ("off", False), (True, True), (False, False)):
        policy = Policy.model_validate(changed("nist_nonbiometric_route", written))
        assert policy.nist_nonbiometric_route is meant


def test_the_published_policy_names_every_acr_by_its_address() -> None:
    document = published(POLICY, "https://broker.test")
    assert document["acr"][0] == {
        "uri": "https://broker.test/acr/official-phrh",
        "needs": {"identity": "P3", "authenticator": "C3"},
    }
    assert [a["uri"] for a in document["acr"]] == [
        acr_uri(a.name, "https://broker.test") for a in POLICY.acr
    ]
    assert document["version"] == POLICY.version


def test_levels_are_compared_by_rank() -> None:
    for i, j in product(range(len(LEVELS)), repeat=2):
        assert reaches(LEVELS[i], LEVELS[j], POLICY) is (i >= j)


def test_filing_changes_nothing_about_a_level() -> None:
    piece = shown("eidas_high")
    filed = replace(piece, reference="evidence-1")
    assert assess([piece], POLICY, NOON).level == assess([filed], POLICY, NOON).level
