"""Two pictures of the last twelve months, drawn as SVG by the server, withheld numbers left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from broker.desk import statistics
from broker.desk.assertion_query import parse_month
from broker.desk.sight import Sight

MONTHS: Final = 12
WIDTH: Final = 720
HEIGHT: Final = 240
_FOOT: Final = 28
_GAP: Final = 0.3


@dataclass(frozen=True, slots=True)
class Table:
    """Counts by month and value; a count of None is withheld."""

    months: tuple[str, ...]
    values: tuple[str, ...]
    counts: Mapping[tuple[str, str], int | None]

    def at(self, month: str, value: str) -> int | None:
        """The count; 0 where there was none, None where it is withheld."""
        return self.counts.get((month, value), 0)

    def total(self, value: str) -> int:
        """What may be told of one value in all months."""
        return sum(self.at(month, value) or 0 for month in self.months)

    def top(self) -> int:
        """The largest sum that may be told of one month."""
        sums = (sum(self.at(m, value) or 0 for value in self.values) for m in self.months)
        return max(sums, default=0)


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle; `look` numbers its value's colour and pattern."""

    x: float
    y: float
    width: float
    height: float
    look: int
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word at a place under the bars."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the page draws: bars, words under them, and the lines of the scale."""

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    lines: tuple[tuple[float, int], ...]


def count(tx: Session, by: str, sight: Sight, now: datetime) -> Table:
    """The last twelve months that are over, counted by `level` or `reason`; nulls left out."""
    months, counts, values = past(now), {}, set[str]()
    for month in months:
        asked = parse_month([("month", month), ("by", by)], now)
        for cell in statistics.count(tx, asked, sight)["cells"]:
            if cell["value"] is not None:
                counts[month, cell["value"]] = cell["count"]
                values.add(cell["value"])
    return Table(months, tuple(sorted(values)), counts)


def past(now: datetime) -> tuple[str, ...]:
    """The twelve months before this one, the oldest first."""
    this = now.year * 12 + now.month - 1
    return tuple(f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(this - MONTHS, this))


def columns(table: Table, *, from_the_right: bool) -> Drawing:
    """Stacked columns, a month each; time runs as the page's language is read."""
    top, slot = max(table.top(), 1), WIDTH / len(table.months)
    room = HEIGHT - _FOOT
    bars: list[Bar] = []
    marks: list[Mark] = []
    for place, month in enumerate(table.months):
        at = len(table.months) - 1 - place if from_the_right else place
        left, foot = at * slot, float(room)
        for look, value in enumerate(table.values):
            number = table.at(month, value) or 0
            tall = number / top * (room - 16)
            foot -= tall
            if number:
                title = f"{month} {value}: {number}"
                wide = slot * (1 - _GAP)
                bars.append(Bar(left + slot * _GAP / 2, foot, wide, tall, look, title))
        marks.append(Mark(left + slot / 2, month[2:]))
    return Drawing(tuple(bars), tuple(marks), _scale(top, room))


def shares(table: Table) -> Sequence[tuple[str, int, float]]:
    """Value, its number in all months, and its share of the largest, the largest first."""
    numbers = sorted(((table.total(v), v) for v in table.values), reverse=True)
    largest = max((number for number, _ in numbers), default=0) or 1
    return [(value, number, number / largest) for number, value in numbers]


def _scale(top: int, room: int) -> tuple[tuple[float, int], ...]:
    steps = (top, top // 2) if top > 1 else (top,)
    return tuple((room - number / top * (room - 16), number) for number in steps)
