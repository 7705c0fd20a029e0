"""Claims → the lines a person reads before agreeing: all of them, whatever a room may add."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from broker.identity.words import rank
from broker.web import shown
from broker.web.locale import gettext

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


def proofs(told: Iterable[Mapping[str, Any]]) -> tuple[Proof, ...]:
    """What every `verified_claims` would tell, each once; empty where there is none."""
    elements: list[Mapping[str, Any]] = []
    for said in told:
        found = said.get(VERIFIED, [])
        elements += found if isinstance(found, list) else [found]
    return tuple(dict.fromkeys(map(_proof, elements)))


def _proof(element: Mapping[str, Any]) -> Proof:
    verification, claims = element["verification"], element["claims"]
    label = str(verification.get("assurance_level", ""))
    pieces: list[Mapping[str, Any]] = verification.get("evidence", [])
    details = pieces[0].get("document_details", {}) if pieces else {}
    state = details.get("issuer", {}).get("country_code")
    number = {k: details[k] for k in ("document_number", "date_of_expiry") if k in details}
    return Proof(
        level=shown.level(label) if label else "",
        meaning=shown.meaning(label) if label else "",
        day=_day(verification.get("time")),
        document=shown.value("document_type", details["type"]) if "type" in details else None,
        state=None if state is None else shown.state(state),
        details=tuple(_rows(number)),
        verified=tuple(_rows(claims)),
    )


def detail_rows(detail: Mapping[str, Any]) -> tuple[Row, ...]:
    """What exactly may be done, in words (RFC 9396 §2.2)."""
    deeds = {"verify": gettext("check who you are"), "read": gettext("read what we know of you")}
    done = [deeds[action] for action in detail.get("actions", ()) if action in deeds]
    rows = (
        (gettext("It asks to"), ", ".join(dict.fromkeys(done)), None),
        (gettext("Purpose"), str(detail.get("purpose", "")), None),
        (gettext("Its own reference"), str(detail.get("identifier", "")), None),
        (gettext("Where"), ", ".join(detail.get("locations", ())), None),
    )
    return tuple(row for row in rows if row[1])


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
