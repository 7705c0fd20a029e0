"""Dates of machine-readable zones: two-digit years, and parts that nobody knows (9303-3 §4.8)."""

import calendar
from dataclasses import dataclass
from datetime import date

UNKNOWN = "<<"
LEAP = 2000


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of which any part may be unknown (None); an unknown part is never guessed."""

    year: int | None
    month: int | None
    day: int | None

    def __str__(self) -> str:
        """ISO 8601, with `0000` or `00` for what is unknown, as OpenID Connect has it."""
        return f"{self.year or 0:04}-{self.month or 0:02}-{self.day or 0:02}"


def parse_birth(text: str, today: date) -> PartialDate:
    """The date of birth in `text` (YYMMDD), in the latest century that is not in the future.

    So a person over a hundred reads as a child: the zone cannot tell, the person must.
    Raises ValueError when it is no date.
    """
    short, month, day = (_part(text[i : i + 2]) for i in (0, 2, 4))
    _demand_possible(month, day)
    if short is None:
        return PartialDate(None, month, day)
    this_century = today.year // 100 * 100 + short
    is_future = (this_century, month or 1, day or 1) > (today.year, today.month, today.day)
    year = this_century - 100 if is_future else this_century
    if month is not None and day is not None:
        date(year, month, day)
    return PartialDate(year, month, day)


def parse_expiry(text: str, today: date, years_valid: int) -> date:
    """The last day of validity in `text` (YYMMDD), whole: an expiry has no unknown parts.

    The year is the latest that a document issued today could reach in `years_valid` years.
    Raises ValueError when it is no date.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    short, month, day = int(text[:2]), int(text[2:4]), int(text[4:6])
    latest = today.year + years_valid
    year = latest - (latest - short) % 100
    return date(year, month, day)


def _part(text: str) -> int | None:
    if text == UNKNOWN:
        return None
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _demand_possible(month: int | None, day: int | None) -> None:
    """Raises ValueError for a month or a day that no year has."""
    if month is not None and not 1 <= month <= 12:  # noqa: PLR2004  months of a year
        raise ValueError(month)
    longest = 31 if month is None else calendar.monthrange(LEAP, month)[1]
    if day is not None and not 1 <= day <= longest:
        raise ValueError(day)
