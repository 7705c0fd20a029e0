"""What a request lets through of what is held (Identity Assurance §5.7): what it asked, or nothing.

Held things are JSON, with dates as `date`, moments as `datetime`, lists of elements as `list`
and a value that is itself a list as `tuple`.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any, Final


class Nothing(Enum):
    """Why nothing is told: it is not held (or cannot be told alone), or it is not as required."""

    ABSENT = "absent"
    UNMET = "unmet"


ABSENT: Final = Nothing.ABSENT
UNMET: Final = Nothing.UNMET

LIMITS: Final = frozenset({"value", "values", "max_age"})
ESSENTIAL: Final = "essential"

NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "verification": frozenset({"trust_framework"}),
    "evidence": frozenset({"type"}),
    "check_details": frozenset({"check_method"}),
    "document_details": frozenset({"type"}),
    "record": frozenset({"type"}),
    "attestation": frozenset({"type"}),
}
"""Element → members without which it is not valid: it is left out rather than told without."""

SIGNATURE: Final = frozenset({"type", "signature_type", "issuer", "serial_number"})

GRAINS: Final = (86_400, 3_600, 60, 1)
"""Seconds. A moment is told as roughly as the request allows, by the first of these that does.

The exact second would let two services find out that they know one person.
"""


def told(name: str, asked: Any, held: Any, now: datetime) -> Any:
    """The part of the element called `name` that `asked` asks for, or a Nothing.

    `essential` makes no difference (§5.7.1); neither does a member that nobody knows.
    """
    if isinstance(held, Mapping):
        return _members(name, asked, held, now)
    if isinstance(held, list):
        return _entries(name, asked, held, now)
    return _value(asked, held, now)


def limits(asked: Any) -> bool:
    """Whether something not held cannot be as required; entries of a list are alternatives."""
    if isinstance(asked, list):
        return bool(asked) and all(map(limits, asked))
    if not isinstance(asked, Mapping):
        return False
    return bool(LIMITS & asked.keys()) or any(limits(asked[n]) for n in asked if n != ESSENTIAL)


def _members(name: str, asked: Any, held: Mapping[str, Any], now: datetime) -> Any:
    if not isinstance(asked, Mapping):  # null asks for a value; here are only elements
        return ABSENT
    if LIMITS & asked.keys():
        return UNMET
    found: dict[str, Any] = {}
    for member, inner in asked.items():
        if member in held:
            part = told(member, inner, held[member], now)
        else:
            part = UNMET if member != ESSENTIAL and limits(inner) else ABSENT
        if part is UNMET:
            return UNMET
        if part is not ABSENT:
            found[member] = part
    return found if found and _needed(name, held) <= found.keys() else ABSENT


def _needed(name: str, held: Mapping[str, Any]) -> frozenset[str]:
    if name == "evidence" and held.get("type") == "electronic_signature":
        return SIGNATURE
    return NEEDED.get(name, frozenset())


def _entries(name: str, asked: Any, held: list[Any], now: datetime) -> Any:
    """What any of the asked entries lets through of each; entries are filters linked by OR."""
    if not isinstance(asked, list):
        return ABSENT
    met = [_first(name, asked, item, now) for item in held]
    kept = [part for n, part in enumerate(met) if _is_told(part) and part not in met[:n]]
    if kept:
        return kept
    return UNMET if limits(asked) and ABSENT not in met else ABSENT


def _first(name: str, asked: list[Any], held: Any, now: datetime) -> Any:
    parts = [told(name, entry, held, now) for entry in asked]
    fallback = ABSENT if ABSENT in parts else UNMET
    return next(filter(_is_told, parts), fallback)


def _is_told(part: Any) -> bool:
    return not isinstance(part, Nothing)


def _value(asked: Any, held: Any, now: datetime) -> Any:
    if asked is None:
        return _written(held, None, now)
    if not isinstance(asked, Mapping):
        return ABSENT
    written = _written(held, asked.get("max_age"), now)
    if "value" in asked and asked["value"] != written:
        return UNMET
    values = asked.get("values", [written])
    return written if isinstance(values, list) and written in values else UNMET


def _written(held: Any, max_age: Any, now: datetime) -> Any:
    """The value as JSON, UNMET where it is older than `max_age` seconds or has no age."""
    if max_age is not None and (isinstance(max_age, bool) or not isinstance(max_age, int | float)):
        return UNMET
    if isinstance(held, datetime):
        return _moment(held, max_age, now)
    if isinstance(held, date):
        # §5.5.2: counted from the last valid second of the day.
        over = datetime.combine(held, time(23, 59, 59), UTC)
        return held.isoformat() if max_age is None or _age(over, now) <= max_age else UNMET
    if max_age is not None:
        return UNMET
    return list(held) if isinstance(held, tuple) else held


def _moment(held: datetime, max_age: float | None, now: datetime) -> Any:
    seconds = int(held.timestamp())
    for grain in GRAINS:
        rough = datetime.fromtimestamp(seconds - seconds % grain, UTC)
        if max_age is None or _age(rough, now) <= max_age:
            return rough.strftime("%Y-%m-%dT%H:%M:%SZ")
    return UNMET


def _age(moment: datetime, now: datetime) -> float:
    return (now - moment).total_seconds()
