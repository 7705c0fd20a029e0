"""An export bundle: the manifest that the log signed, every file it names, every entry's path."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from miftah_verify import merkle
from miftah_verify.note import Checkpoint, decode, holds, parse_note
from miftah_verify.policy import Policy
from miftah_verify.proof import hashes
from miftah_verify.refused import Refused

MANIFEST, NOTE, ENTRIES = "manifest.json", "manifest.note", "entries.jsonl"
_LINE_LIMIT = 256 * 1024
_LARGEST = 2**53 - 1

Open = Callable[[str], Iterator[bytes]]
"""(name) → the file's bytes, piece by piece."""


@dataclass(frozen=True)
class Export:
    """A bundle that holds: under which head, how many entries, and its manifest."""

    head: Checkpoint
    rows: int
    manifest: Mapping[str, Any]


def verify_bundle(open_file: Open, names: Collection[str], policy: Policy) -> Export:
    """The bundle of the files `names`, all of it signed and in the tree. Raises Refused."""
    for name in (MANIFEST, NOTE, ENTRIES):
        if name not in names:
            raise Refused(f"{name} is missing")
    content = _small(open_file(MANIFEST))
    manifest = _object(content, "the manifest")
    head = policy.open(_get(manifest, "checkpoint", str))
    _signed(_small(open_file(NOTE)), content, head.origin, policy)
    if _get(manifest, "v", int) != 1 or _get(manifest, "origin", str) != head.origin:
        raise Refused("the manifest is of another version or log")
    _files(open_file, names, _get(manifest, "files", list))
    rows = _entries(open_file(ENTRIES), head, manifest)
    return Export(head, rows, manifest)


def _signed(note: bytes, manifest: bytes, origin: str, policy: Policy) -> None:
    parsed = parse_note(note)
    digest = hashlib.sha256(manifest).hexdigest()
    if parsed.text != f"miftah.export/v1\n{origin}\n{digest}\n":
        raise Refused("the note is about another manifest")
    if not any(holds(parsed, log) is not None for log in policy.logs if log.name == origin):
        raise Refused("the log did not sign this manifest")


def _files(open_file: Open, names: Collection[str], told: list[Any]) -> None:
    listed = [_get(file, "name", str) for file in told]
    if sorted(set(listed)) != listed:
        raise Refused("the manifest's files are not in order")
    if {*listed, MANIFEST, NOTE} != set(names) or {MANIFEST, NOTE} & set(listed):
        raise Refused("other files than the manifest names")
    for file in told:
        digest, length = hashlib.sha256(), 0
        for piece in open_file(file["name"]):
            digest.update(piece)
            length += len(piece)
        same = length == _get(file, "bytes", int)
        if not same or digest.hexdigest() != _get(file, "sha256", str):
            raise Refused(f"{file['name']} is not the file that was signed")


def _entries(pieces: Iterator[bytes], head: Checkpoint, manifest: Mapping[str, Any]) -> int:
    indexes: list[int] = []
    for line in _lines(pieces):
        row = _object(line, "a line of entries.jsonl")
        index = _get(row, "index", int)
        if indexes and index <= indexes[-1]:
            raise Refused("the entries are not in order", index)
        indexes.append(index)
        path = _get(row, "path", list)
        if any(not isinstance(step, str) for step in path):
            raise Refused("a path is no list of texts", index)
        try:
            leaf = merkle.leaf(decode(_get(row, "leaf", str)))
            merkle.verify_inclusion(leaf, index, head.size, hashes(path), head.root)
        except Refused as error:
            raise Refused(error.what, index) from None
    ends = (indexes[0], indexes[-1]) if indexes else (None, None)
    if (manifest.get("first"), manifest.get("last")) != ends:
        raise Refused("the manifest tells of other entries", ends[0])
    if _get(manifest, "rows", int) != len(indexes):
        raise Refused("the manifest tells of another number of entries")
    return len(indexes)


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        if len(held) > _LINE_LIMIT:
            raise Refused("a line too long")
        yield from whole
    if held:
        raise Refused("entries.jsonl does not end in a newline")


def _small(pieces: Iterator[bytes]) -> bytes:
    content = b""
    for piece in pieces:
        content += piece
        if len(content) > 1024 * 1024:
            raise Refused("a manifest too long")
    return content


def _object(content: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Refused(f"{what} is no JSON") from None
    if not isinstance(value, dict):
        raise Refused(f"{what} is no JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _get(value: Any, name: str, kind: type) -> Any:
    if not isinstance(value, dict) or type(value.get(name)) is not kind:
        raise Refused(f"{name} is missing, or of another kind")
    if kind is int and not -_LARGEST <= value[name] <= _LARGEST:
        raise Refused(f"{name} is out of range")
    return value[name]
