"""Every sentence has its French and its Arabic, and no catalogue holds a dead one."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from tests.web.catalogues import HOUSE, TRANSLATED, catalogues, mentioned, used

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
ARABIC = re.compile("[\u0600-\u06ff]")

languages = pytest.mark.parametrize("language", TRANSLATED)


def entries(language: str) -> Iterator[tuple[Path, str, Message]]:
    for path, catalogue in catalogues(language).items():
        for message in catalogue:
            if message.id:
                msgid = message.id if isinstance(message.id, str) else message.id[0]
                yield path.relative_to(HOUSE), msgid, message


def texts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


@languages
def test_every_sentence_of_every_page_is_translated(language: str) -> None:
    known = {msgid for _, msgid, message in entries(language) if all(texts(message))}
    assert {msgid: place for msgid, place in used().items() if msgid not in known} == {}


@languages
def test_no_catalogue_holds_a_sentence_that_nothing_says(language: str) -> None:
    dead = [(str(path), msgid) for path, msgid, _ in entries(language) if msgid not in mentioned()]
    assert dead == []


@languages
def test_translations_fill_the_same_places(language: str) -> None:
    wrong = []
    for path, msgid, message in entries(language):
        wanted = set(PLACEHOLDER.findall(msgid))
        *some, last = texts(message)
        # "one day" and "two days" need no figure in Arabic: only the last form must have all.
        loose = any(not set(PLACEHOLDER.findall(text)) <= wanted for text in some)
        if loose or set(PLACEHOLDER.findall(last)) != wanted:
            wrong.append((str(path), msgid))
    assert wrong == []


def test_arabic_is_written_in_arabic() -> None:
    foreign = [
        (str(path), msgid)
        for path, msgid, message in entries("ar")
        if not all(ARABIC.search(text) for text in texts(message))
    ]
    assert foreign == []


@languages
def test_one_sentence_has_one_translation_in_the_whole_house(language: str) -> None:
    said: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for _, msgid, message in entries(language):
        said[msgid].add(texts(message))
    assert {msgid: found for msgid, found in said.items() if len(found) > 1} == {}


@languages
def test_every_catalogue_counts_as_its_language_does(language: str) -> None:
    forms = {"fr": 2, "ar": 6}[language]
    assert {c.num_plurals for c in catalogues(language).values()} == {forms}
    plural = [texts(m) for _, _, m in entries(language) if not isinstance(m.id, str)]
    assert plural
    assert {len(found) for found in plural} == {forms}


@languages
def test_nothing_is_marked_unfinished(language: str) -> None:
    assert [msgid for _, msgid, message in entries(language) if message.fuzzy] == []
