"""A question about assertions as a form holds it and as people read it. Pure but for the words."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final

from broker.desk import story
from broker.errors import Malformed
from broker.web.locale import gettext, isolate

DAYS: Final = ("from", "to")
WORDS: Final[Mapping[str, str]] = {
    "client": "Service",
    "from": "From",
    "to": "Up to and including",
    "level": "Level",
    "kind": "Evidence",
    "outcome": "Outcome",
    "reason": "Reason of a refusal",
}
"""Part of a question → what the form calls it; English msgids. Programs know more parts."""

_MIDNIGHT: Final = re.compile(r"(?P<day>[0-9-]{10})T00:00:00(\.0+)?Z")


def moments(said: Mapping[str, str]) -> dict[str, str]:
    """The form's days as moments; the last day is included. Raises Malformed.

    What is a moment already, as a program keeps it, stays what it is.
    """
    asked = dict(said)
    for name in DAYS:
        if name not in said or "T" in said[name]:
            continue
        try:
            day = date.fromisoformat(said[name]) + timedelta(days=name == "to")
        except (ValueError, OverflowError) as error:
            raise Malformed("malformed", f"{name}: no such day") from error
        asked[name] = f"{day.isoformat()}T00:00:00Z"
    return asked


def fields(query: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the form that ask this; `moments` is the inverse."""
    said = {name: str(value) for name, value in query.items()}
    for name in DAYS:
        if found := _MIDNIGHT.fullmatch(said.get(name, "")):
            with suppress(OverflowError):  # the day before the first of all
                day = date.fromisoformat(found["day"]) - timedelta(days=name == "to")
                said[name] = day.isoformat()
    return said


def told(query: Mapping[str, Any]) -> str:
    """The question in one phrase: "Service … · Level …"."""
    parts = [f"{_label(name)} {isolate(_value(name, v))}" for name, v in fields(query).items()]
    return " · ".join(parts) or gettext("everything")


def _label(name: str) -> str:
    return gettext(WORDS[name]) if name in WORDS else name


def _value(name: str, value: str) -> str:
    if name == "kind":
        return story.kind(value)
    return gettext(story.OUTCOMES[value]) if name == "outcome" else value
