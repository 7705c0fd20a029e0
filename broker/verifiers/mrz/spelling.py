"""What a reader's text most likely says, once the grammar of the zone is known."""

import re
from collections.abc import Iterator, Mapping

from broker.identity.evidence import Outcome
from broker.verifiers.mrz.check_digits import NUMBER, check_digits
from broker.verifiers.mrz.layouts import LAYOUTS, Layout, Span, layout_of

Lines = tuple[str, ...]

SHORTEST = 24
"""Symbols below which a row of text is not taken for a line of a zone."""

MISSING = 9
"""Fillers that a reader may have dropped from one line: long runs are hard to count."""

SURPLUS = 4

_LETTERS = str.maketrans("0124568", "OIZASGB")
_DIGITS = str.maketrans("OQDUILZSBGA", "00001125864")
_NOISE = re.compile(r"[^A-Z0-9<]")
_LONE_FILLERS = re.compile(r"[<KCLEX]*")

_KINDS: Mapping[str, Mapping[int, int]] = {
    "document_code": _LETTERS,
    "issuing_state": _LETTERS,
    "nationality": _LETTERS,
    "names": _LETTERS,
    "surname": _LETTERS,
    "given_names": _LETTERS,
    "birth_date": _DIGITS,
    "expiry_date": _DIGITS,
}


def zone_in(text: str) -> Lines | None:
    """The lines of the zone in a reader's `text`, or None if no rows have the shape of one.

    Look-alikes are set right where only letters or only digits may stand, and runs of fillers
    are brought to the length of the line; nothing is changed to make a check digit hold, save
    O for 0 in a document number. Preferred are check digits that hold, then the least stretch.
    """
    candidates = sorted(_candidates(text), key=lambda c: (-share_holding(c[1]), c[0]))
    return candidates[0][1] if candidates else None


def has_rows(text: str) -> bool:
    """Whether any row of a reader's `text` is long enough for a line of a zone."""
    return bool(_rows(text))


def holds(lines: Lines) -> bool:
    """Whether every check digit of `lines` is right."""
    return share_holding(lines) == 1


def share_holding(lines: Lines) -> float:
    """The part of the check digits of `lines` that are right, 0–1; 0 for what is no zone."""
    layout = layout_of(lines) if lines else None
    if layout is None:
        return 0
    checks = check_digits(layout, lines)
    return sum(check.outcome is Outcome.PASSED for check in checks) / len(checks)


def _candidates(text: str) -> Iterator[tuple[int, Lines]]:
    """Every zone the text may be, with the number of symbols by which it was stretched."""
    rows = _rows(text)
    for layout in LAYOUTS:
        for first in range(len(rows) - layout.lines + 1):
            taken = rows[first : first + layout.lines]
            fitted = [_fitted(row, layout.width) for row in taken]
            spelled = _spelled(layout, tuple(filter(None, fitted)))
            if spelled is not None and layout_of(spelled) is layout:
                yield sum(abs(layout.width - len(row)) for row in taken), spelled


def _rows(text: str) -> list[str]:
    plain = text.upper().replace("\u00ab", "<<")
    return [row for row in (_NOISE.sub("", r) for r in plain.splitlines()) if len(row) >= SHORTEST]


def _fitted(row: str, width: int) -> str | None:
    """`row` with its longest run of fillers stretched or shrunk to `width`; None if too far."""
    missing = width - len(row)
    if missing == 0:
        return row
    if not -SURPLUS <= missing <= MISSING:
        return None
    start, end = max((m.span() for m in re.finditer("<+", row)), key=_length, default=(0, 0))
    if end - start + min(missing, 0) < 1:
        return None
    return row[:start] + "<" * (end - start + missing) + row[end:]


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def _spelled(layout: Layout, rows: Lines) -> Lines | None:
    if len(rows) != layout.lines:
        return None
    for name, span in layout.fields.items():
        rows = _put(rows, span, _spelled_field(name, span.of(rows)))
    for guard in layout.guards:
        digit = guard.at.of(rows).translate(_DIGITS)
        rows = _put(rows, guard.at, "<" if guard.may_be_filler and digit in "KC" else digit)
    number = layout.fields[NUMBER]
    zeros = _put(rows, number, number.of(rows).replace("O", "0"))
    return zeros if share_holding(zeros) > share_holding(rows) else rows


def _spelled_field(name: str, text: str) -> str:
    spelled = text.translate(_KINDS.get(name, {}))
    if name == "names" and "<<<" in spelled:
        # Three fillers end the names: what follows can only be a filler misread.
        return spelled[: spelled.index("<<<")].ljust(len(spelled), "<")
    if name.startswith("optional_data") and _LONE_FILLERS.fullmatch(text):
        return "<" * len(text)
    return spelled


def _put(rows: Lines, span: Span, text: str) -> Lines:
    row = rows[span.line - 1]
    changed = row[: span.first - 1] + text + row[span.last :]
    return (*rows[: span.line - 1], changed, *rows[span.line :])
