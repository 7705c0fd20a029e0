"""Whether two pieces of evidence speak of one person: an explicit rule that answers with reasons.

Nothing is ever merged by it alone. Where it is sure that they do not, they are kept apart; where
it cannot tell, a person is asked, and their word is on record.

    birth dates            names                                   verdict
    differ in what both know   any                                 DIFFERENT
    agree, both whole      family and given names meet             SAME
    agree, or open         neither family nor given names touch    DIFFERENT
    everything else                                                UNCLEAR
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from broker.identity.evidence import Evidence
from broker.identity.spelling import spellings

RULE: Final = "same-person-1"
"""The name of this rule, as the record has it: another rule has another name."""

_SHORTEST = 3
_VOWELS: Final = str.maketrans("", "", "aeiouyhw")


class Verdict(StrEnum):
    """What the rule says of two pieces."""

    SAME = "same"
    UNCLEAR = "unclear"
    DIFFERENT = "different"


class Meeting(StrEnum):
    """How two values meet."""

    WHOLE = "whole"
    PARTLY = "partly"
    NOT = "not"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict and its reasons, in words that name nobody."""

    verdict: Verdict
    birthdate: Meeting
    family: Meeting
    given: Meeting


def compared(one: Evidence, other: Evidence) -> Comparison:
    """What the rule says, and why."""
    birth = dates(one.value("birthdate"), other.value("birthdate"))
    family = _best(_families(one), _families(other))
    given = _best(_values(one, "given_name"), _values(other, "given_name"))
    return Comparison(_verdict(birth, family, given), birth, family, given)


def dates(one: str | None, other: str | None) -> Meeting:
    """How two birth dates meet (YYYY-MM-DD, `0000` and `00` unknown): every part that both know."""
    if one is None or other is None:
        return Meeting.UNKNOWN
    pairs = list(zip(_parts(one), _parts(other), strict=True))
    if any(a is not None and b is not None and a != b for a, b in pairs):
        return Meeting.NOT
    if all(a is not None and b is not None for a, b in pairs):
        return Meeting.WHOLE
    return Meeting.PARTLY


def names(one: str, other: str) -> Meeting:
    """How two names meet, whatever their script and spelling."""
    mine, theirs = spellings(one), spellings(other)
    if not mine or not theirs:
        return Meeting.WHOLE if one.casefold() == other.casefold() else Meeting.UNKNOWN
    if {"".join(words) for words in mine} & {"".join(words) for words in theirs}:
        return Meeting.WHOLE
    if any(_touch(a, b) for a in mine for b in theirs):
        return Meeting.PARTLY
    return Meeting.NOT


def _verdict(birth: Meeting, family: Meeting, given: Meeting) -> Verdict:
    if birth is Meeting.NOT or (family is Meeting.NOT and given is Meeting.NOT):
        return Verdict.DIFFERENT
    if {birth, family, given} == {Meeting.WHOLE}:
        return Verdict.SAME
    return Verdict.UNCLEAR


def _touch(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """A word of both, the beginning of one in the other, or the same consonants."""
    if set(mine) & set(theirs):
        return True
    a, b = sorted(("".join(mine), "".join(theirs)), key=len)
    if len(a) >= _SHORTEST and b.startswith(a):
        return True
    bones = [{_skeleton(word) for word in words} - {""} for words in (mine, theirs)]
    return bool(bones[0] & bones[1])


def _skeleton(word: str) -> str:
    """The consonants of a word, none twice in a row: one for Mohammed, Muhammad and Mohamed."""
    made = ""
    for letter in word.translate(_VOWELS):
        if not made.endswith(letter):
            made += letter
    return made if len(made) >= _SHORTEST - 1 else ""


def _best(mine: Iterable[str], theirs: Iterable[str]) -> Meeting:
    order = (Meeting.WHOLE, Meeting.PARTLY, Meeting.UNKNOWN, Meeting.NOT)
    every = list(theirs)
    met = [names(a, b) for a in mine for b in every]
    return min(met, key=order.index) if met else Meeting.UNKNOWN


def _families(evidence: Evidence) -> Iterator[str]:
    yield from _values(evidence, "family_name")
    yield from _values(evidence, "birth_family_name")


def _values(evidence: Evidence, name: str) -> Iterator[str]:
    if value := evidence.value(name):
        yield value


def _parts(text: str) -> list[str | None]:
    return [part if part.strip("0") else None for part in (*text.split("-"), "", "")[:3]]
