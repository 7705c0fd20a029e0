"""What every verifier promises, tried on all of them."""

import pkgutil
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

import broker.verifiers
from broker.errors import EvidenceRejected
from broker.identity.assurance import SHIPPED, read_policy
from broker.identity.evidence import Outcome
from broker.identity.verifier import Attempt, Opening, Page, Redirect, Reply, Verifier
from broker.verifiers.mrz import MrzVerifier
from broker.verifiers.mrz.answer import Answer
from tests.conftest import _KEYS
from tests.verifiers.eidas.conftest import abroad, signed_in_abroad
from tests.verifiers.mrz.pictures import encoded, plain
from tests.verifiers.mrz.writer import Document, Holder, td3
from tests.verifiers.upstream import peer as upstream

ATTEMPT = Attempt(
    handle="h1", now=datetime(2026, 11, 23, 12, tzinfo=UTC), locale="en", scheme="trial"
)

VERIFIERS: tuple[Verifier, ...] = (
    MrzVerifier(lambda _: Answer()),
    abroad("trial").verifier,
    upstream.door(upstream.Peer(_KEYS)),
)
"""Every verifier there is, with an engine or trust that finds nothing."""

PASSPORT = td3(Holder(nationality="MAR"), Document(state="MAR"))


def photographed() -> tuple[Verifier, Attempt, Reply]:
    verifier = MrzVerifier(lambda _: Answer((PASSPORT,)))
    return verifier, ATTEMPT, Reply(files={"photograph": encoded(plain())})


def signed_in_upstream() -> tuple[Verifier, Attempt, Reply]:
    peer = upstream.Peer(_KEYS)
    verifier = upstream.door(peer)
    return verifier, *upstream.came_back(verifier, peer)


PROVING: dict[str, Callable[[], tuple[Verifier, Attempt, Reply]]] = {
    "mrz": photographed,
    "eidas": signed_in_abroad,
    "upstream": signed_in_upstream,
}
"""A verifier of each kind, and a reply that it accepts."""

every = pytest.mark.parametrize("verifier", VERIFIERS, ids=lambda v: v.kind)
languages = pytest.mark.parametrize("language", ["fr", "ar"])


def room(verifier: Verifier) -> Path:
    return Path(str(sys.modules[type(verifier).__module__].__file__)).parent


def catalogue(verifier: Verifier, language: str) -> Catalog:
    with (room(verifier) / "translations" / f"{language}.po").open("rb") as po:
        return read_po(po, locale=language)


def shown_text(verifier: Verifier) -> set[str]:
    """Every English sentence that this verifier shows."""
    told = {verifier.title, verifier.summary}
    for message in verifier.refusals.values():
        told |= {message.what, message.advice}
    for template in room(verifier).glob("templates/**/*.html"):
        told |= set(re.findall(r'_\("(.+?)"', template.read_text()))
    return told


def test_every_folder_of_verifiers_is_tried_here() -> None:
    folders = {found.name for found in pkgutil.iter_modules(broker.verifiers.__path__)}
    assert {verifier.kind for verifier in VERIFIERS} == folders
    assert set(PROVING) == folders


def test_kinds_are_unique_and_fit_an_address() -> None:
    kinds = [verifier.kind for verifier in VERIFIERS]
    assert len(set(kinds)) == len(kinds)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", kind) for kind in kinds)


@every
def test_it_says_beforehand_what_it_can_prove(verifier: Verifier) -> None:
    assert verifier.establishes
    assert verifier.produces
    assert verifier.handle_param
    assert 0 < verifier.size_limit <= 16 * 1024 * 1024


@every
def test_the_policy_knows_what_it_produces(verifier: Verifier) -> None:
    assert verifier.produces <= set(read_policy(SHIPPED).evidence)


@every
def test_codes_are_stable_words_with_advice(verifier: Verifier) -> None:
    for code, message in verifier.refusals.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", code)
        assert message.what.endswith(".")
        assert message.advice.endswith(".")


@every
@languages
def test_every_sentence_is_translated_in_its_own_room(verifier: Verifier, language: str) -> None:
    found = catalogue(verifier, language)
    translated = {message.id for message in found if message.string}
    assert shown_text(verifier) - translated == set()


@every
@languages
def test_no_translation_is_left_over(verifier: Verifier, language: str) -> None:
    kept = {message.id for message in catalogue(verifier, language) if message.id}
    assert kept == shown_text(verifier)


@every
@languages
def test_translations_end_as_their_sentence_ends(verifier: Verifier, language: str) -> None:
    for message in catalogue(verifier, language):
        if message.id:
            assert str(message.string)[-1:] == str(message.id)[-1:] or message.id[-1].isalpha()


@every
def test_opening_shows_a_page_of_its_own_or_sends_the_browser_on(verifier: Verifier) -> None:
    opening = verifier.open(ATTEMPT)
    assert isinstance(opening, Opening)
    if isinstance(opening.show, Redirect):
        assert opening.show.url.startswith("https://")
        return
    assert isinstance(opening.show, Page)
    assert (room(verifier) / "templates" / opening.show.template).is_file()


@every
def test_an_empty_reply_is_rejected_with_a_known_code(verifier: Verifier) -> None:
    with pytest.raises(EvidenceRejected) as caught:
        verifier.close(ATTEMPT, Reply())
    assert caught.value.code in verifier.refusals


texts = st.dictionaries(st.text(max_size=20), st.text(max_size=80), max_size=4)
names = st.sampled_from(("photograph", "camera", "attempt", "file"))
uploads = st.dictionaries(names, st.binary(max_size=400), max_size=3)


@every
@settings(deadline=None)
@given(fields=texts, files=uploads)
def test_no_reply_raises_anything_but_a_known_rejection(
    verifier: Verifier, fields: dict[str, str], files: dict[str, bytes]
) -> None:
    with pytest.raises(EvidenceRejected) as caught:
        verifier.close(ATTEMPT, Reply(fields, files))
    assert caught.value.code in verifier.refusals


@pytest.mark.parametrize("kind", PROVING)
def test_evidence_keeps_what_was_promised(kind: str) -> None:
    verifier, attempt, reply = PROVING[kind]()
    evidence = verifier.close(attempt, reply)
    assert evidence.kind in verifier.produces
    assert evidence.at == attempt.now
    assert evidence.claims
    made = {check.property for check in evidence.checks if check.outcome is not Outcome.SKIPPED}
    assert made <= verifier.establishes
    assert all(claim.value and claim.source for claim in evidence.claims)
