"""An assertion in words: what an entry's codes mean to a reader who is no programmer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.audit.merkle import node_hash
from broker.audit.note import decode, encode
from broker.identity.words import CLAIMS
from broker.web import shown
from broker.web.locale import gettext
from broker.web.pages import EVIDENCE_KINDS

OUTCOMES = {"issued": "told", "refused": "refused"}
"""Outcome of an assertion → in a word; English msgids."""

EVENTS = {
    "code.issued": "An authorization code was sent.",
    "code.refused": "No authorization code was sent.",
    "token.issued": "The service was given tokens.",
    "token.refused": "The service was refused tokens.",
    "token.exchanged": "A service was given a token to act with.",
    "token.repeated": "The same tokens were sent again.",
    "token.revoked": "Tokens were made worthless.",
    "consent.given": "The person agreed to what is shared.",
    "evidence.accepted": "What the person showed passed its checks.",
    "evidence.removed": "The person took it back.",
    "evidence.refused": "What the person showed was refused.",
}
"""Event → a sentence; English msgids. An event not here shows its name."""

CHECKS = {"passed": "passed", "failed": "failed", "skipped": "not made"}
"""Outcome of a check → in a word; English msgids."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list of assertions."""

    index: int
    time: str
    client: str
    level: str
    outcome: str
    is_refused: bool
    because: str


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the chain: its place, when, what, and the checks it tells of."""

    index: int
    time: str
    what: str
    kind: str
    checks: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """The chain of one assertion, in the order in which it came about."""

    row: Row
    evidence: tuple[Link, ...]
    consent: Link | None
    grant: tuple[Link, ...]
    rule: Mapping[str, str]
    scope: str
    token: str


def row(entry: Mapping[str, Any]) -> Row:
    """The line of an assertion as `store.entry` shows it."""
    said, facts = entry["entry"], entry["entry"]["facts"]
    is_refused = said["event"].endswith(".refused")
    return Row(
        index=entry["index"],
        time=moment(said["time"]),
        client=facts.get("client") or "",
        level=facts.get("acr") or "",
        outcome=gettext(OUTCOMES["refused" if is_refused else "issued"]),
        is_refused=is_refused,
        because=facts.get("reason") or facts.get("because") or "",
    )


def told(chain: Mapping[str, Any]) -> Told:
    """The chain as `assertions.chain` gives it, in words."""
    facts = chain["assertion"]["entry"]["facts"]
    return Told(
        row=row(chain["assertion"]),
        evidence=tuple(link(each) for each in chain["evidence"]),
        consent=chain["consent"] and link(chain["consent"]),
        grant=tuple(link(each) for each in chain["grant"]),
        rule={name: value for name, value in (chain["rule"] or {}).items() if value},
        scope=" ".join(facts.get("scope") or ()),
        token=facts.get("token") or "",
    )


def link(entry: Mapping[str, Any]) -> Link:
    """One entry of the chain."""
    said, facts = entry["entry"], entry["entry"]["facts"]
    checks = facts.get("checks") or ()
    return Link(
        index=entry["index"],
        time=moment(said["time"]),
        what=gettext(EVENTS[said["event"]]) if said["event"] in EVENTS else said["event"],
        kind=kind(facts.get("kind") or ""),
        checks=tuple((c["property"], c["outcome"], gettext(CHECKS[c["outcome"]])) for c in checks),
    )


def kinds(known: Iterable[str]) -> list[tuple[str, str]]:
    """Every kind of evidence and its name."""
    return [(name, kind(name)) for name in known]


def kind(name: str) -> str:
    """What a kind of evidence is called."""
    return gettext(EVIDENCE_KINDS[name]) if name in EVIDENCE_KINDS else name


def claims(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is known of a person: label and value, in the order in which pages show them."""
    known = [(name, told[name]) for name in CLAIMS if told.get(name)]
    return [(shown.label(name), _value(name, value)) for name, value in known]


def _value(name: str, value: object) -> str:
    texts = value if isinstance(value, list | tuple) else [value]
    return ", ".join(shown.value(name, str(text)) for text in texts)


def moment(time: str) -> str:
    """An entry's time for a reader: to the second, UTC."""
    return f"{time[:10]} {time[11:19]} UTC"


def steps(proof: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each hash of the path and what it makes together with what came before (RFC 9162 §2.1.3.2).

    The last one made is the root, if the proof holds.
    """
    place, last = proof["index"], proof["size"] - 1
    found, made = decode(proof["leaf_hash"]), []
    for step in map(decode, proof["path"]):
        if place % 2 == 1 or place == last:
            found = node_hash(step, found)
            while place % 2 == 0 and place != 0:
                place, last = place // 2, last // 2
        else:
            found = node_hash(found, step)
        place, last = place // 2, last // 2
        made.append((encode(step), encode(found)))
    return made
