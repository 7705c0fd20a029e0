"""How national letters stand in a zone (ICAO 9303-3 §6): tables, read both ways.

The zone is not a legal name. What a person writes can be compared with it, and never replaced.
"""

import unicodedata
from collections.abc import Mapping
from itertools import product
from typing import Final

from broker.verifiers.mrz.grammar import LETTERS

MOST: Final = 4096
"""Spellings of one name that are tried; a name of more is compared by the first ones only."""

LATIN: Final[Mapping[str, tuple[str, ...]]] = {
    "Ä": ("AE", "A"),
    "Å": ("AA", "A"),
    "Æ": ("AE",),
    "Đ": ("D",),
    "Ð": ("D", "DH"),
    "Ħ": ("H",),
    "İ": ("I",),
    "ı": ("I",),
    "Ĳ": ("IJ",),
    "ĸ": ("Q",),
    "Ł": ("L",),
    "Ñ": ("N", "NXX"),
    "Ŋ": ("N",),
    "Ö": ("OE", "O"),
    "Ø": ("OE", "O"),
    "Œ": ("OE",),
    "ß": ("SS",),
    "ẞ": ("SS",),
    "Þ": ("TH",),
    "Ŧ": ("T",),
    "Ü": ("UE", "UXX", "U"),
}
"""Letters that do not simply lose their accent, or need not; §6 A."""

CYRILLIC: Final[Mapping[str, tuple[str, ...]]] = {
    **{c: (s,) for c, s in zip("АБВДЕЗИЙКЛМНОПРСТУФЫЭ", "ABVDEZIIKLMNOPRSTUFYE", strict=True)},
    "Г": ("G", "H"),
    "Ё": ("E", "IO"),
    "Ж": ("ZH", "Z"),
    "И": ("I", "Y"),
    "Х": ("KH", "H"),
    "Ц": ("TS", "C"),
    "Ч": ("CH", "C"),
    "Ш": ("SH", "S"),
    "Щ": ("SHCH", "SHT"),
    "Ъ": ("IE", ""),
    "Ь": ("",),
    "Ю": ("IU",),
    "Я": ("IA",),
    "Є": ("IE",),
    "І": ("I",),
    "Ї": ("I",),
    "Ґ": ("G",),
    "Ў": ("U",),
    "Ј": ("J",),
    "Љ": ("LJ",),
    "Њ": ("NJ",),
    "Ђ": ("DJ",),
    "Ћ": ("C",),
    "Џ": ("DZ",),
}
"""§6 B, with the letters that states write in their own way."""

ARABIC: Final[Mapping[str, tuple[str, ...]]] = {
    "ء": ("XE",),
    "آ": ("XAA",),
    "أ": ("XAH",),
    "ؤ": ("U",),
    "إ": ("I",),
    "ئ": ("XI",),
    "ا": ("A",),
    "ب": ("B",),
    "ة": ("XTA", "XAH"),
    "ت": ("T",),
    "ث": ("XTH",),
    "ج": ("J",),
    "ح": ("XH",),
    "خ": ("XKH",),
    "د": ("D",),
    "ذ": ("XDH",),
    "ر": ("R",),
    "ز": ("Z",),
    "س": ("S",),
    "ش": ("XSH",),
    "ص": ("XSS",),
    "ض": ("XDZ",),
    "ط": ("XTT",),
    "ظ": ("XZZ",),
    "ع": ("E",),
    "غ": ("G",),
    "ف": ("F",),
    "ق": ("Q",),
    "ك": ("K",),
    "ل": ("L",),
    "م": ("M",),
    "ن": ("N",),
    "ه": ("H",),
    "و": ("W",),
    "ى": ("XAY",),
    "ي": ("Y",),
}
"""§6 C. Few states write it: Morocco and others put French spellings in the zone."""

_TABLES: Final[Mapping[str, tuple[str, ...]]] = {**LATIN, **CYRILLIC, **ARABIC}
_LOST: Final = frozenset("'’ʼ`.·-‐ ")
"""What stands between letters: a hyphen or a space is a filler, an apostrophe is nothing."""


def spellings(name: str) -> frozenset[str]:
    """How `name` may stand in a zone, spaces for fillers; empty if some letter is in no table."""
    letters = [_spelled(letter) for letter in unicodedata.normalize("NFC", name)]
    if not all(letters):
        return frozenset()
    ways = product(*letters)
    return frozenset(" ".join("".join(way).split()) for way, _ in zip(ways, range(MOST)))  # noqa: B905


def may_be(name: str, zone_name: str, *, is_truncated: bool = False) -> bool:
    """Whether the zone's form may be this name's; `is_truncated` if the zone's may go on."""
    if is_truncated:
        return any(spelling.startswith(zone_name) for spelling in spellings(name))
    return zone_name in spellings(name)


def _spelled(letter: str) -> tuple[str, ...]:
    if letter in _LOST:
        return (" ",) if letter in "-‐ " else ("", " ")
    found = _TABLES.get(letter) or _TABLES.get(letter.upper())
    if found:
        return found
    plain = unicodedata.normalize("NFD", letter.upper())
    if unicodedata.combining(plain[-1]) and len(plain) == 1:  # a vowel sign of Arabic
        return ("",)
    return (plain[0],) if plain[0] in LETTERS else ()
