"""The two answers of the broker's API about one entry: what it is, and its proof, as JSON."""

import json
from typing import Any

from miftah_verify import merkle
from miftah_verify.note import decode
from miftah_verify.policy import Policy
from miftah_verify.proof import Proved, hashes
from miftah_verify.refused import Refused

_LIMIT = 1024 * 1024


def verify_answers(entry: bytes, proof: bytes, policy: Policy) -> Proved:
    """Where the entry stands: its exact bytes do, and what is shown of it is what they say.

    Raises Refused.
    """
    shown, path = _object(entry, "the entry"), _object(proof, "the proof")
    index, leaf = _get(shown, "index", int), decode(_get(shown, "leaf", str))
    if _get(path, "index", int) != index:
        raise Refused("the proof is about another entry", index)
    if _object(leaf, "the leaf") != _get(shown, "entry", dict):
        raise Refused("the entry as shown is not the entry as stored", index)
    head = policy.open(_get(path, "checkpoint", str))
    if _get(path, "size", int) != head.size:
        raise Refused("the proof is about another size", index)
    steps = _get(path, "path", list)
    if any(not isinstance(step, str) for step in steps):
        raise Refused("the path is no list of texts", index)
    merkle.verify_inclusion(merkle.leaf(leaf), index, head.size, hashes(steps), head.root)
    return Proved(index, head)


def _object(content: bytes, what: str) -> dict[str, Any]:
    if len(content) > _LIMIT:
        raise Refused(f"{what} is too long")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused(f"{what} is no JSON") from None
    if not isinstance(value, dict):
        raise Refused(f"{what} is no JSON object")
    return value


def _get(value: dict[str, Any], name: str, kind: type) -> Any:
    if type(value.get(name)) is not kind:
        raise Refused(f"{name} is missing, or of another kind")
    return value[name]
