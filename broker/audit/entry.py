"""The bytes of one entry, and what its index columns must therefore say. Pure.

A leaf is a JSON object in the canonical form of RFC 8785, whose numbers are integers only:

    {"event":"code.issued","facts":{"acr":"P0","client":"cnss"},
     "nonce":"<16 random bytes>","time":"2026-11-23T12:00:00.000Z","v":1}

It does not name its own index: the sequencer assigns it, and the tree proves it.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from broker.audit.event import EVENTS, REFUSED, outcome

VERSION = 1
LEAF_LIMIT = 65_535
"""Bytes of one entry: C2SP tlog-tiles gives its length two bytes."""

ISSUED = "issued"
_ISSUED_ASSERTIONS = frozenset({"token.exchanged", "token.issued"})
_REFUSED_ASSERTIONS = frozenset({"code.refused", "token.refused"})

_INTEGER_LIMIT = 2**53 - 1
_DEPTH_LIMIT = 8
_OFFSET = len("+00:00")
_NAME = re.compile(r"[!-~]{1,100}")
_TEXT_LIMIT = 255
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_COLUMNS = ("client", "acr", "grant", "evidence", "kind", "reason")
_FORM = {"event": str, "facts": dict, "nonce": str, "time": str, "v": int}

PERSONAL = frozenset(
    {
        "account_id",
        "address",
        "birthdate",
        "date_of_birth",
        "document_number",
        "email",
        "family_name",
        "given_name",
        "ip",
        "name",
        "personal_number",
        "phone_number",
        "sub",
        "subject",
        "user_agent",
    }
)
"""Names under which a fact would say who the person is: what is in the tree stays for ever."""


class FactsRefused(ValueError):
    """A fact may not stand in the record. A mistake in our code: the transaction must not hold."""


class Projection(NamedTuple):
    """What the index columns of an entry hold; every one derived from the leaf."""

    time: str
    event: str
    client: str | None
    level: str | None
    outcome: str
    grant_id: str | None
    evidence: str | None
    kind: str | None
    reason: str | None
    assertion: str | None
    """`issued` or `refused` where a service was, or was not, told something of a person."""


def compose(event: str, facts: Mapping[str, object], now: datetime, nonce: str) -> bytes:
    """The canonical bytes of an entry, at most 65 535.

    Raises FactsRefused: an event outside the catalogue, a value that is not text, integer,
    truth value, null, list or object, a name that says who the person is, a client, level or
    reference that is no short text.
    """
    if event not in EVENTS:
        raise FactsRefused(f"unknown event {event!r}")
    for name in _COLUMNS:
        if name in facts:
            _column(facts, name)
    _admit_members(facts, _DEPTH_LIMIT)
    whole = {"event": event, "facts": facts, "nonce": nonce, "time": to_text(now), "v": VERSION}
    try:
        leaf = canonical(whole)
    except TypeError as error:
        raise FactsRefused(f"no JSON can be made of it: {error}") from error  # a lone surrogate
    if len(leaf) > LEAF_LIMIT:
        raise FactsRefused(f"{len(leaf)} bytes are more than {LEAF_LIMIT}")
    return leaf


def canonical(value: object) -> bytes:
    """RFC 8785 for what a leaf may hold: sorted ASCII names, integers, no white space, UTF-8.

    Raises TypeError on a lone surrogate.
    """
    return orjson.dumps(value, dict, orjson.OPT_SORT_KEYS)  # a Mapping is written as a dict is


def read_leaf(leaf: bytes) -> dict[str, Any]:
    """The entry that these bytes are. Raises ValueError where they are not canonical or not ours.

    Two texts of one value would be two entries: only the canonical one is read.
    """
    try:
        value = orjson.loads(leaf)
    except ValueError as error:
        raise ValueError("no JSON: not an entry") from error
    if not isinstance(value, dict) or canonical(value) != leaf:
        raise ValueError("not a canonical entry")
    if value.keys() != _FORM.keys() or value["v"] != VERSION:
        raise ValueError("not an entry of this version")
    if any(type(value[name]) is not kind for name, kind in _FORM.items()):
        raise ValueError("not the form of an entry")
    if not _is_whole(value["facts"].values()):
        raise ValueError("a number that is no integer: not an entry")
    if value["event"] not in EVENTS or not _TIME.fullmatch(value["time"]):
        raise ValueError("not an entry of this record")
    return value


def project(entry: Mapping[str, Any]) -> Projection:
    """What the index columns of this entry, as `read_leaf` gives it, must hold.

    Raises FactsRefused where its client, level or a reference is no short text.
    """
    facts = entry["facts"]
    return Projection(
        time=entry["time"],
        event=entry["event"],
        client=_column(facts, "client"),
        level=_column(facts, "acr"),
        outcome=outcome(entry["event"]),
        grant_id=_column(facts, "grant"),
        evidence=_column(facts, "evidence"),
        kind=_column(facts, "kind"),
        reason=_column(facts, "reason"),
        assertion=_assertion(entry["event"], facts),
    )


def to_text(moment: datetime) -> str:
    """The moment in UTC to the millisecond, RFC 3339. Raises ValueError on a naive one."""
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone")
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:-_OFFSET] + "Z"


def to_milliseconds(moment: datetime) -> datetime:
    """The moment with what is finer than a millisecond cut off, as entries hold it."""
    return moment - timedelta(microseconds=moment.microsecond % 1000)


def _assertion(event: str, facts: Mapping[str, Any]) -> str | None:
    if event in _REFUSED_ASSERTIONS:
        return REFUSED
    # A client's own token says nothing of any person.
    told = event in _ISSUED_ASSERTIONS and facts.get("account") is not None
    return ISSUED if told else None


def _column(facts: Mapping[str, Any], name: str) -> str | None:
    value = facts.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > _TEXT_LIMIT):
        raise FactsRefused(f"{name} must be a text of at most {_TEXT_LIMIT} characters")
    return value


def _is_whole(values: Iterable[object]) -> bool:
    """Whether no number among these values, as JSON gives them, is anything but an integer."""
    for value in values:
        if type(value) is str:
            continue
        if type(value) is float:
            return False
        if type(value) is list and not _is_whole(value):
            return False
        if type(value) is dict and not _is_whole(value.values()):
            return False
    return True


def _admit_members(facts: Mapping[str, object], depth: int) -> None:
    for name in facts:
        _admit_name(name)
    _admit_all(facts.values(), depth)


def _admit_all(values: Iterable[object], depth: int) -> None:
    for value in values:
        if type(value) is not str and value is not None:
            _admit(value, depth)


def _admit(value: object, depth: int) -> None:
    if isinstance(value, int):
        if abs(value) > _INTEGER_LIMIT:
            raise FactsRefused("an integer that JSON readers would round")
    elif depth == 1 and not isinstance(value, str):
        raise FactsRefused(f"nested deeper than {_DEPTH_LIMIT}")
    elif isinstance(value, list):
        _admit_all(value, depth - 1)
    elif isinstance(value, Mapping):
        _admit_members(value, depth - 1)
    elif not isinstance(value, str):
        raise FactsRefused(f"a {type(value).__name__} is no fact")


@lru_cache(1024)  # names come out of our code, and seldom a new one
def _admit_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise FactsRefused("a fact's name is 1 to 100 visible ASCII characters")
    if name in PERSONAL:
        raise FactsRefused(f"{name} says who the person is")
