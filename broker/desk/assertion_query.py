"""Which assertions an auditor asks for, and which month they want counted. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from broker.audit.entry import ISSUED, to_text
from broker.audit.event import REFUSED
from broker.audit.query import LIMIT, check_page, check_texts, moment, number, single
from broker.errors import Malformed

OUTCOMES = (ISSUED, REFUSED)
BY = ("client", "event", "kind", "level", "outcome", "reason")
"""What assertions may be counted by."""

_CURSOR = re.compile(r"[A-Za-z0-9_-]{54}")
_MONTH = re.compile(r"(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])")
_TEXTS = ("client", "subject", "kind", "level", "grant", "evidence", "reason")
_NUMBERS = ("min_index", "max_index")
_ASSERTION_NAMES = frozenset({*_TEXTS, *_NUMBERS, "from", "to", "outcome", "cursor", "limit"})


@dataclass(frozen=True, slots=True)
class AssertionQuery:
    """Which assertions: all that are given must hold. `unverified_cursor` as it came.

    `subject` is a person's name at a relying service: it never stands in the record.
    """

    client: str | None = None
    subject: str | None = None
    kind: str | None = None
    level: str | None = None
    grant: str | None = None
    evidence: str | None = None
    reason: str | None = None
    outcome: str | None = None
    since: str | None = None
    until: str | None = None
    min_index: int | None = None
    max_index: int | None = None
    limit: int = LIMIT
    unverified_cursor: str | None = None

    def facts(self) -> dict[str, str | int]:
        """The filter, without place and page: what a cursor is bound to, and a search keeps."""
        given = {
            "client": self.client,
            "subject": self.subject,
            "kind": self.kind,
            "level": self.level,
            "grant": self.grant,
            "evidence": self.evidence,
            "reason": self.reason,
            "outcome": self.outcome,
            "from": self.since,
            "to": self.until,
            "min_index": self.min_index,
            "max_index": self.max_index,
        }
        return {name: value for name, value in given.items() if value is not None}

    def on_record(self) -> dict[str, str | int]:
        """The filter as the record keeps it: whom it was about is linked, not told."""
        return {name: value for name, value in self.facts().items() if name != "subject"}


@dataclass(frozen=True, slots=True)
class MonthQuery:
    """A calendar month (UTC) that is over, and what to count its assertions by."""

    month: str
    by: str
    since: str
    until: str


def parse_assertions(arguments: Iterable[tuple[str, str]]) -> AssertionQuery:
    """The query of the list of assertions. Raises Malformed."""
    given = single(arguments, _ASSERTION_NAMES)
    check_texts(given, _TEXTS)
    if given.get("outcome", ISSUED) not in OUTCOMES:
        raise Malformed("malformed", "outcome: issued or refused")
    if "cursor" in given and not _CURSOR.fullmatch(given["cursor"]):
        raise Malformed("malformed", "cursor: not one of ours")
    places = {name: number(name, given[name]) for name in _NUMBERS if name in given}
    since, until = moment("from", given), moment("to", given)
    limit = number("limit", given["limit"]) if "limit" in given else LIMIT
    check_page(limit, since, until)
    if places.get("min_index", 0) > places.get("max_index", places.get("min_index", 0)):
        raise Malformed("malformed", "min_index: at most max_index")
    return AssertionQuery(
        client=given.get("client"),
        subject=given.get("subject"),
        kind=given.get("kind"),
        level=given.get("level"),
        grant=given.get("grant"),
        evidence=given.get("evidence"),
        reason=given.get("reason"),
        outcome=given.get("outcome"),
        min_index=places.get("min_index"),
        max_index=places.get("max_index"),
        since=since,
        until=until,
        limit=limit,
        unverified_cursor=given.get("cursor"),
    )


def parse_month(arguments: Iterable[tuple[str, str]], now: datetime) -> MonthQuery:
    """The query of the statistics. Raises Malformed.

    Months only, and none that runs: whoever could ask for a day more would learn of one person
    by subtracting.
    """
    given = single(arguments, frozenset({"month", "by"}))
    found = _MONTH.fullmatch(given.get("month", ""))
    if found is None:
        raise Malformed("malformed", "month: YYYY-MM is needed")
    if given.get("by") not in BY:
        raise Malformed("malformed", f"by: one of {', '.join(BY)}")
    year, month = int(found["year"]), int(found["month"])
    begin = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    if now < end:
        raise Malformed("malformed", "month: it is not over yet")
    return MonthQuery(given["month"], given["by"], to_text(begin), to_text(end))
