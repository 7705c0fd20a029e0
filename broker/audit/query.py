"""What an auditor may ask for: the query of each page, parsed strictly. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.audit.entry import to_text
from broker.audit.event import EVENTS
from broker.errors import Malformed, NotFound

LIMIT = 50
LARGEST_LIMIT = 200

_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_LARGEST = 2**53 - 1
"""Of numbers in JSON: readers would round a larger one."""

_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII | re.IGNORECASE
)
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_TILE = re.compile(
    r"(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])"
    r"/(?P<number>(x[0-9]{3}/){0,5}[0-9]{3})(\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_WIDTH = 256
_JUST_BELOW_A_MILLISECOND = timedelta(microseconds=999)

Arguments = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Which entries: all that are given must hold. `since` is included, `until` is not.

    Both are written as entries write their time.
    """

    event: str | None = None
    client: str | None = None
    since: str | None = None
    until: str | None = None
    after: int | None = None
    limit: int = LIMIT

    def facts(self) -> dict[str, str | int]:
        """The filter as the record keeps it."""
        given = {
            "event": self.event,
            "client": self.client,
            "from": self.since,
            "to": self.until,
            "after": self.after,
            "limit": self.limit,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TileQuery:
    """Which tile of C2SP tlog-tiles; `level` None: the entries themselves. Width 1 to 256."""

    level: int | None
    number: int
    width: int

    @property
    def needs(self) -> int:
        """How many entries the tree must have for this tile to be."""
        hashes = self.number * _WIDTH + self.width
        return hashes << 8 * (self.level or 0)


def single(arguments: Iterable[tuple[str, str]], known: frozenset[str] = frozenset()) -> Arguments:
    """Every argument by name. Raises Malformed: unknown, given twice, or empty."""
    found: dict[str, str] = {}
    for name, value in arguments:
        if name not in known:
            raise Malformed("malformed", "unknown parameter")
        if name in found or not value:
            raise Malformed("malformed", f"{name}: given twice, or empty")
        found[name] = value
    return found


def parse_entries(arguments: Iterable[tuple[str, str]]) -> EntryQuery:
    """The query of the list. Raises Malformed."""
    known = frozenset({"event", "client", "from", "to", "after", "limit"})
    given = single(arguments, known)
    query = EntryQuery(
        event=given.get("event"),
        client=given.get("client"),
        since=moment("from", given),
        until=moment("to", given),
        after=number("after", given["after"]) if "after" in given else None,
        limit=number("limit", given["limit"]) if "limit" in given else LIMIT,
    )
    if query.event is not None and query.event not in EVENTS:
        raise Malformed("malformed", "event: no such event")
    check_texts(given, ("client",))
    check_page(query.limit, query.since, query.until)
    return query


def check_texts(given: Arguments, names: Iterable[str]) -> None:
    """Raises Malformed where one of these arguments is no short text."""
    for name in names:
        if name in given and not _TEXT.fullmatch(given[name]):
            raise Malformed("malformed", f"{name}: 1 to 255 characters")


def check_page(limit: int, since: str | None, until: str | None) -> None:
    """Raises Malformed where so many entries are never given, or no time lies between."""
    if not 1 <= limit <= LARGEST_LIMIT:
        raise Malformed("malformed", f"limit: 1 to {LARGEST_LIMIT}")
    if since and until and since >= until:
        raise Malformed("malformed", "from: must be before to")


def parse_sizes(arguments: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """The two sizes of a consistency proof, 1 <= from <= to. Raises Malformed."""
    given = single(arguments, frozenset({"from", "to"}))
    if given.keys() != {"from", "to"}:
        raise Malformed("malformed", "from and to are needed")
    old, new = (number(name, given[name]) for name in ("from", "to"))
    if not 1 <= old <= new:
        raise Malformed("malformed", "from: 1 to the size given as to")
    return old, new


def parse_index(text: str) -> int:
    """The index in a path. Raises NotFound: no entry has another spelling of its number."""
    if not _NUMBER.fullmatch(text) or int(text) > _LARGEST:
        raise NotFound("not_found")
    return int(text)


def parse_tile(path: str) -> TileQuery:
    """The tile that a path names (C2SP tlog-tiles). Raises NotFound."""
    found = _TILE.fullmatch(path)
    if found is None:
        raise NotFound("not_found")
    level = None if found["level"] == "entries" else int(found["level"])
    number = found["number"].replace("x", "").replace("/", "")
    width = int(found["width"] or _WIDTH)
    padded = f"{int(number):0{len(number)}d}"
    canonical = len(number) == 3 or not padded.startswith("000")  # noqa: PLR2004  one element
    if not canonical or (found["width"] and width >= _WIDTH):
        raise NotFound("not_found")
    return TileQuery(level, int(number), width)


def number(name: str, text: str) -> int:
    """The whole number that an argument is. Raises Malformed."""
    if not _NUMBER.fullmatch(text) or int(text) > _LARGEST:
        raise Malformed("malformed", f"{name}: a whole number, at most {_LARGEST}")
    return int(text)


def moment(name: str, given: Arguments) -> str | None:
    """The moment that an argument is, as entries write theirs. Raises Malformed."""
    if name not in given:
        return None
    if not _MOMENT.fullmatch(given[name]):
        raise Malformed("malformed", f"{name}: a moment with its zone, as in RFC 3339")
    try:
        # Entries hold whole milliseconds: none lies between a finer moment and the next one.
        return to_text(datetime.fromisoformat(given[name].upper()) + _JUST_BELOW_A_MILLISECOND)
    except (ValueError, OverflowError) as error:
        raise Malformed("malformed", f"{name}: no such moment") from error
