"""One name in many spellings: what passports and registers make of letters. Pure.

Nothing here is a guess at a name: two spellings that meet say that they may be of one name, no
more. Scripts without a table (Arabic, Hebrew, Chinese) have no spelling: a person must look.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import reduce
from typing import Final


def _table(written: str) -> dict[str, str]:
    """A letter and what it is written as, in each word."""
    return {word[0]: word[1:] for word in written.split()}


BARE: Final = _table("ßss øo æae œoe ðd þth łl đd ħh ıi ŋn ŧt əe")
"""Letters that no mark makes: as they stand where marks are dropped."""

DOCUMENTS: Final = BARE | _table("äae öoe üue åaa øoe ĳij ðdh")
"""ICAO 9303-3 §6 A: what machine-readable zones write."""

DOCUMENTS_OTHERWISE: Final = DOCUMENTS | _table("üuxx ñnxx")
"""What the same page allows instead."""

_GREEK: Final = _table(
    "αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo"
)
_GREEK_PAIRS: Final = (("ου", "ou"), ("γγ", "ng"), ("γξ", "nx"), ("γχ", "nch"))
_VOICED: Final = "βγδζλμνραεηιουωάέήίόύώ"

_CYRILLIC: Final = _table(
    "аa бb вv гg дd еe жzh зz иi йi кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъie ыy "
    "ь эe юiu яia іi їi єie ґg ёe ўu јj љlj њnj ћc ђd џdz ќk ѓg ѕdz"
)
"""ICAO 9303-3 §6 B; the soft sign is nothing."""
_BULGARIAN: Final = _CYRILLIC | _table("йy хh щsht ъa ьy юyu яya")
_UKRAINIAN: Final = _CYRILLIC | _table("гh иy")
_RUSSIAN: Final = _CYRILLIC | _table("йy юyu яya ёyo ыy ъ")

_WAYS: Final = tuple(
    {**latin, **cyrillic}
    for latin in (BARE, DOCUMENTS, DOCUMENTS_OTHERWISE)
    for cyrillic in (_CYRILLIC, _BULGARIAN, _UKRAINIAN, _RUSSIAN)
)
_WORD: Final = re.compile("[a-z]+")
_BETWEEN: Final = re.compile(r"['’ʼ`´‘.]")


def spellings(name: str) -> frozenset[tuple[str, ...]]:
    """The name's words in every Latin spelling that we know, none where a letter has no table."""
    text = unicodedata.normalize("NFC", _BETWEEN.sub("", name.casefold()))
    made = (_written(text, way) for way in _WAYS)
    return frozenset(words for words in made if words)


def _written(text: str, way: Mapping[str, str]) -> tuple[str, ...]:
    """The words by one table; () where a letter is left that is no Latin one."""
    written = "".join(_letter(sign, way) for sign in _greek(text))
    words = re.split(r"[\s\-‐‑–]+", written.strip())
    return tuple(words) if all(_WORD.fullmatch(word) for word in words) else ()


def _letter(sign: str, way: Mapping[str, str]) -> str:
    if sign in way:
        return way[sign]
    bare = "".join(c for c in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(c))
    return "".join(way.get(c, _GREEK.get(c, c)) for c in bare)


def _greek(text: str) -> str:
    """Pairs of Greek letters that are one sound (ELOT 743), written out."""
    if not re.search("[α-ωά-ώ]", text):
        return text
    text = re.sub(r"([αε])[υύ](?=([\w]?))", _upsilon, text)
    text = re.sub(r"\bμπ", "b", text)
    return reduce(lambda said, pair: said.replace(*pair), _GREEK_PAIRS, text)


def _upsilon(found: re.Match[str]) -> str:
    return _GREEK[found[1]] + ("v" if found[2] and found[2] in _VOICED else "f")
