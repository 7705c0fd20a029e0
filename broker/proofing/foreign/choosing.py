"""The page on which a person chooses their country: what it is shown with."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import url_for

from broker.feature import Asked
from broker.identity.scheme import Texts
from broker.identity.verifier import SchemeVerifier
from broker.interaction.store import ACCOUNT
from broker.proofing.doors import Outlook
from broker.proofing.foreign.ways import Way, folded, matching, ways
from broker.proofing.presenting import door_path
from broker.web import shown
from broker.web.locale import LANGUAGES, choose, gettext
from broker.web.tools import tools

LONGEST = 80
"""Letters of a search; no country and no scheme has a longer name."""


def every_way(view: Outlook) -> tuple[Way, ...]:
    """The ways abroad that are worth offering to this person now."""
    return ways(view.doors, tools().policy, view.wanted)


def page(handle: str, request_: Asked, view: Outlook, query: str) -> Mapping[str, Any]:
    """What the page is shown with; `query` is what the person looks for, "" for everything."""
    query = " ".join(query.split())[:LONGEST]
    every = every_way(view)
    found = matching(every, query, _names(every)) if query else list(every)
    wanted = None if view.wanted is None else tools().policy.identity_levels[view.wanted]
    return {
        "handle": handle,
        "client_name": request_.client_name,
        "on_own_account": handle == ACCOUNT,
        "query": query,
        "path": url_for("proofing.countries", handle=handle),
        "found": [_entry(handle, way) for way in sorted(found, key=_place)],
        "is_any": bool(every),
        "wanted": wanted and shown.level(wanted.label),
        "is_enough": view.wanted is None or any(way.least for way in every),
        "others": [
            {"title": gettext(verifier.title), "path": door_path(handle, verifier.kind)}
            for verifier in view.doors
            if not isinstance(verifier, SchemeVerifier)
        ],
    }


def text(texts: Texts) -> str:
    """The text in the language of this answer."""
    return str(getattr(texts, choose()))


def _names(every: Iterable[Way]) -> dict[str, tuple[str, ...]]:
    codes = {way.country for way in every}
    return {code: tuple(shown.country(code, lang) for lang in LANGUAGES) for code in codes}


def _place(way: Way) -> tuple[str, str]:
    return folded(shown.country(way.country)), folded(text(way.scheme.name))


def _entry(handle: str, way: Way) -> dict[str, str]:
    level = tools().policy.identity_levels[way.level]
    return {
        "country": shown.country(way.country),
        "name": text(way.scheme.name),
        "about": text(way.scheme.about),
        "level": shown.level(level.label),
        "path": url_for(
            "proofing.open_door",
            handle=handle,
            kind=way.kind,
            scheme=way.scheme.id,
            country=way.country,
        ),
    }
