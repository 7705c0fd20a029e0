"""JSON that a client sends: small, shallow, no member twice, nothing that no database keeps."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any

DEPTH_LIMIT = 16
"""Arrays and objects within one another; the deepest request of Identity Assurance has 13."""

_UNKEPT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class JsonRefused(ValueError):
    """What was sent cannot be accepted; the message ends a sentence told to its sender."""


def read(text: str, *, size: int) -> Any:
    """The value that `text` (of at most `size` characters) means.

    Raises JsonRefused.
    """
    if len(text) > size:
        raise JsonRefused("is too long")
    try:
        value = json.loads(
            text, object_pairs_hook=_members, parse_constant=_refuse, parse_float=_finite
        )
    except JsonRefused:
        raise
    except ValueError:  # a JSONDecodeError, or an integer of more digits than Python reads
        raise JsonRefused("is not JSON") from None
    except RecursionError:
        raise JsonRefused("is nested too deeply") from None
    _look_through(value, DEPTH_LIMIT)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise JsonRefused("has a member twice")
    return dict(pairs)


def _refuse(constant: str) -> None:  # noqa: ARG001  NaN, Infinity: Python's own, not JSON's
    raise JsonRefused("is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonRefused("holds a number out of range")
    return number


def _look_through(value: Any, depth: int) -> None:
    if isinstance(value, str) and _UNKEPT.search(value):
        raise JsonRefused("holds a character that has no place there")
    if not isinstance(value, dict | list):
        return
    if depth == 0:
        raise JsonRefused("is nested too deeply")
    inside: Iterable[Any] = value
    if isinstance(value, dict):
        inside = (*value, *value.values())
    for item in inside:
        _look_through(item, depth - 1)
