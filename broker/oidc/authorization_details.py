"""The `authorization_details` parameter: what exactly may be done, by type (RFC 9396)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from broker.oidc import strict_json
from broker.oidc.strict_json import JsonRefused

SIZE_LIMIT = 8 * 1024
"""Characters of the parameter."""

MOST = 10
"""Entries of one request."""

_PURPOSE = 200
_ACTIONS = ("verify", "read")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of authorization detail: its members, each with its test; `needed` must be there."""

    members: Mapping[str, Callable[[Any], bool]]
    needed: frozenset[str] = frozenset()


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _PURPOSE


def _are_actions(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(item in _ACTIONS for item in value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= MOST and all(map(_is_text, value))


KINDS: Mapping[str, Kind] = {
    "identity_verification": Kind(
        members={
            "actions": _are_actions,
            "identifier": _is_text,
            "locations": _are_texts,
            "purpose": _is_text,
        },
        needed=frozenset({"actions"}),
    ),
}
"""Every type there is. `identifier` is the service's own name of the matter (its file number);
`purpose` is shown to the person; `locations` are the resource servers meant (RFC 9396 §2.2)."""


def read_details(text: str, registered: Collection[str]) -> tuple[dict[str, Any], ...]:
    """The details asked for, each of a type that the client registered and with its own members.

    Raises JsonRefused, whose message may be told to the client (RFC 9396 §5).
    """
    asked = strict_json.read(text, size=SIZE_LIMIT)
    if not isinstance(asked, list) or not 0 < len(asked) <= MOST:
        raise JsonRefused(f"is not an array of 1 to {MOST} objects")
    return tuple(_checked(detail, registered) for detail in asked)


def _checked(detail: Any, registered: Collection[str]) -> dict[str, Any]:
    if not isinstance(detail, dict):
        raise JsonRefused("holds something that is no object")
    kind = KINDS.get(detail["type"]) if isinstance(detail.get("type"), str) else None
    if kind is None or detail["type"] not in registered:
        raise JsonRefused("holds a type that is unknown or not registered")
    members = {name: value for name, value in detail.items() if name != "type"}
    if members.keys() - kind.members.keys():
        raise JsonRefused("holds a member that its type does not have")
    if kind.needed - members.keys():
        raise JsonRefused("lacks a member that its type needs")
    if not all(kind.members[name](value) for name, value in members.items()):
        raise JsonRefused("holds a member with a value that has no place there")
    return detail
