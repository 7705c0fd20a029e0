"""Claims → the lines a person reads before agreeing: all of them, whatever a room may add."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from broker.identity.words import rank
from broker.web import shown

VERIFIED = "verified_claims"
Row = tuple[str, str, None]


@dataclass(frozen=True, slots=True)
class Proof:
    """What `verified_claims` would tell, in words; None or empty where it is silent."""

    level: str
    meaning: str
    day: date | None
    document: str | None
    state: str | None
    details: tuple[Row, ...]
    verified: tuple[Row, ...]


def values(said: Mapping[str, Any], issuer: str) -> tuple[Row, ...]:
    """Every value in `said` but `verified_claims`; a claim of ours is taken apart."""
    rows: list[Row] = []
    for name in sorted(said, key=lambda name: (rank(name), name)):
        if name == VERIFIED:
            continue
        ours = name.startswith(f"{issuer}/claims/") and isinstance(said[name], Mapping)
        rows += _rows(said[name]) if ours else _rows({name: said[name]})
    return tuple(rows)


def proof(said: Mapping[str, Any]) -> Proof | None:
    """What `verified_claims` would tell, None where there is none."""
    if VERIFIED not in said:
        return None
    verification, claims = said[VERIFIED]["verification"], said[VERIFIED]["claims"]
    label = str(verification.get("assurance_level", ""))
    pieces: list[Mapping[str, Any]] = verification.get("evidence", [])
    details = pieces[0].get("document_details", {}) if pieces else {}
    state = details.get("issuer", {}).get("country_code")
    number = {k: details[k] for k in ("document_number", "date_of_expiry") if k in details}
    return Proof(
        level=shown.level(label),
        meaning=shown.meaning(label),
        day=_day(verification.get("time")),
        document=shown.value("document_type", details["type"]) if "type" in details else None,
        state=None if state is None else shown.state(state),
        details=tuple(_rows(number)),
        verified=tuple(_rows(claims)),
    )


def _rows(claims: Mapping[str, Any]) -> list[Row]:
    ordered = sorted(claims, key=lambda name: (rank(name), name))
    return [(shown.label(name), _text(name, claims[name]), None) for name in ordered]


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{shown.label(k)}: {_text(k, v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(name, item) for item in value)
    return shown.value(name, str(value))


def _day(moment: str | None) -> date | None:
    return None if moment is None else datetime.fromisoformat(moment).date()
