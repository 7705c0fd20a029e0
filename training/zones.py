"""Invented machine-readable zones of every format, their check digits right (ICAO 9303-3 to -7)."""

import numpy as np

from broker.verifiers.mrz.check_digits import check_digit
from broker.verifiers.mrz.states import STATES

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
SYMBOLS = DIGITS + LETTERS + "<"
FORMATS = ("TD3", "TD1", "TD2", "MRV-A", "MRV-B", "IDFRA")
_SHARES = (0.4, 0.22, 0.12, 0.1, 0.08, 0.08)
_STATES = sorted(STATES)
_SYLLABLES = tuple(
    f"{start}{vowel}{end}"
    for start in ("", "B", "CH", "D", "F", "H", "K", "L", "M", "N", "R", "S", "T", "V", "Z")
    for vowel in "AEIOU"
    for end in ("", "N", "R", "S")
)

Rng = np.random.Generator
Lines = tuple[str, ...]


def random_zone(rng: Rng, kind: str | None = None) -> Lines:
    """The two or three lines of an invented document of format `kind`, or of any."""
    kind = kind or str(rng.choice(FORMATS, p=_SHARES))
    return _MAKERS[kind](rng)


def random_text(rng: Rng, length: int, alphabet: str = SYMBOLS) -> str:
    """`length` symbols, each as likely as any other."""
    return "".join(alphabet[i] for i in rng.integers(0, len(alphabet), length))


def _fill(text: str, width: int) -> str:
    return text[:width].ljust(width, "<")


def _name(rng: Rng) -> str:
    if rng.random() < 0.3:
        return random_text(rng, int(rng.integers(2, 11)), LETTERS)
    return "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 5))))


def _names(rng: Rng, width: int) -> str:
    surname = "<".join(_name(rng) for _ in range(1 + (rng.random() < 0.2)))
    if rng.random() < 0.05:
        return _fill(surname, width)
    most = 8 if rng.random() < 0.1 else 3
    given = "<".join(_name(rng) for _ in range(int(rng.integers(1, most + 1))))
    return _fill(f"{surname}<<{given}", width)


def _state(rng: Rng) -> str:
    if rng.random() < 0.12:
        return random_text(rng, 3, LETTERS)
    return _fill(str(rng.choice(_STATES)), 3)


def _date(rng: Rng) -> str:
    year, month, day = rng.integers(0, 100), rng.integers(1, 13), rng.integers(1, 29)
    return f"{year:02}{month:02}{day:02}"


def _birth(rng: Rng) -> str:
    born = _date(rng)
    chance = rng.random()
    if chance < 0.02:
        return born[:4] + "<<"
    return born[:2] + "<<<<" if chance < 0.04 else born


def _number(rng: Rng, width: int = 9) -> str:
    chance = rng.random()
    if chance < 0.3:
        return random_text(rng, width, DIGITS)
    if chance < 0.55:
        return random_text(rng, 2, LETTERS) + random_text(rng, width - 2, DIGITS)
    length = int(rng.integers(6, width + 1)) if chance < 0.75 else width
    return _fill(random_text(rng, length, DIGITS + LETTERS), width)


def _optional(rng: Rng, width: int) -> str:
    chance = rng.random()
    if chance < 0.4:
        return "<" * width
    alphabet = DIGITS if chance < 0.7 else DIGITS + LETTERS
    return _fill(random_text(rng, int(rng.integers(3, width + 1)), alphabet), width)


def _guarded(text: str) -> str:
    return text + check_digit(text)


def _middle(rng: Rng) -> str:
    """Number, nationality, birth, sex and expiry, with their check digits: 28 symbols."""
    sex = str(rng.choice(list("MF<X"), p=(0.47, 0.47, 0.04, 0.02)))
    number, born, ends = _guarded(_number(rng)), _guarded(_birth(rng)), _guarded(_date(rng))
    return number + _state(rng) + born + sex + ends


def _code(rng: Rng, first: str) -> str:
    second = "<" if rng.random() < 0.6 else random_text(rng, 1, LETTERS)
    return str(rng.choice(list(first))) + second


def _td3(rng: Rng) -> Lines:
    optional = _optional(rng, 14)
    digit = check_digit(optional)
    if not optional.strip("<") and rng.random() < 0.5:
        digit = "<"
    second = _middle(rng) + optional + digit
    total = check_digit(second[:10] + second[13:20] + second[21:43])
    return _code(rng, "P") + _state(rng) + _names(rng, 39), second + total


def _mrv(rng: Rng, width: int) -> Lines:
    return (
        _code(rng, "V") + _state(rng) + _names(rng, width - 5),
        _middle(rng) + _optional(rng, width - 28),
    )


def _td2(rng: Rng) -> Lines:
    second = _middle(rng) + _optional(rng, 7)
    total = check_digit(second[:10] + second[13:20] + second[21:35])
    return _code(rng, "ACI") + _state(rng) + _names(rng, 31), second + total


def _td1(rng: Rng) -> Lines:
    if rng.random() < 0.15:
        long = random_text(rng, int(rng.integers(10, 21)), DIGITS + LETTERS)
        number = long[:9] + "<" + _fill(long[9:] + check_digit(long) + "<", 15)
    else:
        number = _guarded(_number(rng)) + _optional(rng, 15)
    first = _code(rng, "ACI") + _state(rng) + number
    sex = str(rng.choice(list("MF<X"), p=(0.47, 0.47, 0.04, 0.02)))
    second = _guarded(_birth(rng)) + sex + _guarded(_date(rng)) + _state(rng) + _optional(rng, 11)
    total = check_digit(first[5:30] + second[:7] + second[8:15] + second[18:29])
    return first, second + total, _names(rng, 30)


def _idfra(rng: Rng) -> Lines:
    first = "IDFRA" + _fill(_name(rng), 25) + random_text(rng, 3, DIGITS) + _optional(rng, 3)
    given = _fill("<<".join(_name(rng) for _ in range(int(rng.integers(1, 4)))), 14)
    sex = str(rng.choice(list("MF")))
    second = _guarded(random_text(rng, 12, DIGITS)) + given + _guarded(_date(rng)) + sex
    return first, second + check_digit(first + second)


_MAKERS = {
    "TD3": _td3,
    "TD1": _td1,
    "TD2": _td2,
    "MRV-A": lambda rng: _mrv(rng, 44),
    "MRV-B": lambda rng: _mrv(rng, 36),
    "IDFRA": _idfra,
}
