"""The `claims` parameter: single claims that a client asks for, and where (Core §5.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.identity import assurance_request
from broker.oidc import strict_json
from broker.oidc.strict_json import JsonRefused

Claims = Mapping[str, Mapping[str, Any]]
"""Place → claim name → None or its requirements; empty where the parameter was not sent."""

PLACES = ("userinfo", "id_token")
VERIFIED = "verified_claims"
SIZE_LIMIT = 8 * 1024
"""Characters of the parameter."""

_PERSONAL = frozenset(
    {"name", "given_name", "family_name", "birthdate", "gender", "nationalities", VERIFIED}
)
_REQUIREMENTS = frozenset({"value", "values", "essential", "max_age"})


@dataclass(frozen=True, slots=True)
class AcrWish:
    """Which `acr` values the parameter asks of the ID token; any of them will do.

    `essential`: without one of them there is no code (Core §5.5.1.1).
    """

    values: tuple[str, ...] = ()
    essential: bool = False


def read_claims(text: str) -> dict[str, dict[str, Any]]:
    """The parameter's value, members other than `userinfo` and `id_token` left out.

    `verified_claims` is passed on as it came: an object or an array (Identity Assurance §6).
    Raises JsonRefused, whose message may be told to the client.
    """
    asked = strict_json.read(text, size=SIZE_LIMIT)
    if not isinstance(asked, dict):
        raise JsonRefused("is not an object")
    places = {place: asked[place] for place in PLACES if place in asked}
    for named in places.values():
        if not isinstance(named, dict):
            raise JsonRefused("asks for claims otherwise than by an object")
        for name, requirement in named.items():
            _check(name, requirement)
    return places


def subject_asked(claims: Claims) -> frozenset[str] | None:
    """The subjects of which one must be signed in, None where any may be (Core §5.5.1)."""
    asked: list[frozenset[str]] = []
    for place in PLACES:
        values = _values(claims.get(place, {}).get("sub"))
        asked += [frozenset(values)] if values else []
    return None if not asked else asked[0].intersection(*asked)


def acr_wish(claims: Claims) -> AcrWish:
    """What is asked of the ID token's `acr`.

    Essential without a value asks for nothing more than that there be one: there always is.
    """
    requirement = claims.get("id_token", {}).get("acr") or {}
    values = _values(requirement)
    return AcrWish(values, bool(values) and requirement.get("essential") is True)


def personal(claims: Claims, issuer: str) -> dict[str, dict[str, Any]]:
    """The claims among those asked that say something about the person; we know no others.

    Core §5.5.1: a claim that is not understood is ignored, essential or not.
    """
    known = _PERSONAL | {f"{issuer}/claims/document"}
    return {
        place: {name: wish for name, wish in named.items() if name in known}
        for place, named in claims.items()
    }


def names(claims: Claims) -> frozenset[str]:
    """What an agreement must cover: claim names, `verified_claims` by every member asked of it."""
    found: set[str] = set()
    for named in claims.values():
        for name, wish in named.items():
            found.add(name)
            if name == VERIFIED:
                found |= _members(wish, name)
    return frozenset(found)


def _members(wish: Any, path: str) -> set[str]:
    """Every member within, as "verified_claims.claims.birthdate"."""
    if isinstance(wish, list):
        return set().union(*(_members(item, path) for item in wish))
    if not isinstance(wish, dict):
        return set()
    found: set[str] = set()
    for name, inner in wish.items():
        if name not in _REQUIREMENTS:
            found |= {f"{path}.{name}"} | _members(inner, f"{path}.{name}")
    return found


def _check(name: str, requirement: Any) -> None:
    if name == VERIFIED:
        if fault := assurance_request.fault(requirement):
            raise JsonRefused(f"has verified_claims: {fault}")
        return
    if requirement is None:
        return
    if not isinstance(requirement, dict):
        raise JsonRefused("asks for a claim otherwise than by null or an object")
    if not isinstance(requirement.get("essential", False), bool):
        raise JsonRefused("holds an essential that is neither true nor false")
    if not isinstance(requirement.get("values", []), list):
        raise JsonRefused("holds values that are no array")


def _values(requirement: Mapping[str, Any] | None) -> tuple[str, ...]:
    if not requirement:
        return ()
    value = requirement.get("value")
    listed = [*requirement.get("values", ()), *([] if value is None else [value])]
    return tuple(str(item) for item in listed)
