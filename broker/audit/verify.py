"""The auditor's own check of one entry, far from the broker.

    python -m broker.audit.verify ENTRY PROOF VKEY

ENTRY   file: the answer of GET /api/audit/entries/<index>
PROOF   file: the answer of GET /api/audit/entries/<index>/proof
VKEY    the log's key, name+id+key, that the operator gave you once by another way

Exit 0: the entry stands in the log at that place. 1: it does not. 2: nothing could be checked.
Needs this file, merkle.py, note.py and the package `cryptography`; no network, no broker.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from broker.audit import merkle, note

HOLDS, REFUSED, UNUSABLE = 0, 1, 2
_FILE_LIMIT = 1024 * 1024


def verify_entry(entry: Any, proof: Any, key: note.VerifierKey) -> note.Checkpoint:
    """The checkpoint under which the entry stands at its index.

    Raises ProofRejected or NoteRejected where it does not; `entry` and `proof` are parsed JSON.
    """
    leaf = note.decode(_text(entry, "leaf"))
    index = _number(entry, "index")
    if _number(proof, "index") != index:
        raise merkle.ProofRejected("the proof is about another entry")
    if json.loads(leaf) != entry.get("entry"):
        raise merkle.ProofRejected("the entry as shown is not the entry as stored")
    head = note.open_checkpoint(_text(proof, "checkpoint"), key)
    if _number(proof, "size") != head.size:
        raise merkle.ProofRejected("the proof is about another size")
    path = [note.decode(step) for step in _texts(proof, "path")]
    merkle.verify_inclusion(merkle.leaf_hash(leaf), index, head.size, path, head.root)
    return head


def main(arguments: Sequence[str]) -> int:
    """The exit status; what was found goes to standard output."""
    try:
        entry_file, proof_file, line = arguments
        key = note.parse_verifier_key(line)
        entry, proof = _read(entry_file), _read(proof_file)
    except (ValueError, OSError, RecursionError, note.NoteRejected) as error:
        print(f"{__doc__}\n{error}", file=sys.stderr)  # noqa: T201  a program for a terminal
        return UNUSABLE
    try:
        head = verify_entry(entry, proof, key)
    except (ValueError, RecursionError, merkle.ProofRejected, note.NoteRejected) as error:
        print(f"REFUSED: {error}")  # noqa: T201
        return REFUSED
    print(f"Entry {entry['index']} stands in {head.origin} under {head.size} entries.")  # noqa: T201
    return HOLDS


def _read(file: str) -> Any:
    content = Path(file).read_bytes()
    if len(content) > _FILE_LIMIT:
        raise ValueError(f"{file} is larger than {_FILE_LIMIT} bytes")
    return json.loads(content)


def _get(source: Any, name: str) -> Any:
    if not isinstance(source, dict):
        raise merkle.ProofRejected("not a JSON object")
    return source.get(name)


def _text(source: Any, name: str) -> str:
    value = _get(source, name)
    if not isinstance(value, str):
        raise merkle.ProofRejected(f"{name} is no text")
    return value


def _texts(source: Any, name: str) -> list[str]:
    value = _get(source, name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise merkle.ProofRejected(f"{name} is no list of texts")
    return value


def _number(source: Any, name: str) -> int:
    value = _get(source, name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise merkle.ProofRejected(f"{name} is no whole number")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
