"""Claims → the lines a person reads before agreeing: all of them, whatever a room may add."""

from collections.abc import Mapping
from typing import Any

from broker.identity.words import rank
from broker.web import shown
from broker.web.locale import gettext

VERIFIED = "verified_claims"
Row = tuple[str, str, None]


def values(said: Mapping[str, Any], issuer: str) -> tuple[Row, ...]:
    """Every value in `said` but `verified_claims`; a claim of ours is taken apart."""
    found: list[Row] = []
    for name in sorted(said, key=lambda name: (rank(name), name)):
        if name == VERIFIED:
            continue
        ours = name.startswith(f"{issuer}/claims/") and isinstance(said[name], Mapping)
        found += rows(said[name]) if ours else rows({name: said[name]})
    return tuple(found)


def detail_rows(detail: Mapping[str, Any]) -> tuple[Row, ...]:
    """What exactly may be done, in words (RFC 9396 §2.2)."""
    deeds = {"verify": gettext("check who you are"), "read": gettext("read what we know of you")}
    done = [deeds[action] for action in detail.get("actions", ()) if action in deeds]
    lines = (
        (gettext("It asks to"), ", ".join(dict.fromkeys(done)), None),
        (gettext("Purpose"), str(detail.get("purpose", "")), None),
        (gettext("Its own reference"), str(detail.get("identifier", "")), None),
        (gettext("Where"), ", ".join(detail.get("locations", ())), None),
    )
    return tuple(line for line in lines if line[1])


def rows(claims: Mapping[str, Any]) -> list[Row]:
    """A line for every claim, in the order of pages."""
    ordered = sorted(claims, key=lambda name: (rank(name), name))
    return [(shown.label(name), _text(name, claims[name]), None) for name in ordered]


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{shown.label(k)}: {_text(k, v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(name, item) for item in value)
    return shown.value(name, str(value))
